import { limits } from '../../../core/index.ts';

/**
 * Watches whether an upload comes in at its pace: on the average of the last minute or so, 64 KB a minute. What comes
 * faster counts for a minute ahead at most, so an upload that falls silent is cut after a minute, and one that trickles
 * soon after that. Only the time counts in which we wait for it: else it is we who are slow.
 */
export class UploadPace {
  /** Bytes that it is ahead of the pace; at the beginning, a minute's. */
  #ahead: number = limits.uploadMinBytesPerMinute;

  /**
   * Notes what has come in since the last call.
   * @param bytes how many bytes
   * @param millis how long ago the last call was
   * @param isWaitedFor whether everything that came has been read
   * @returns whether the upload is too slow to go on
   */
  isTooSlow(bytes: number, millis: number, isWaitedFor: boolean): boolean {
    const due = isWaitedFor ? (limits.uploadMinBytesPerMinute * millis) / 60_000 : 0;
    this.#ahead = Math.min(this.#ahead + bytes - due, limits.uploadMinBytesPerMinute);
    return this.#ahead <= 0.5;
  }
}
