import { useRef, useState } from 'preact/hooks';
import type { Problem } from './problem.ts';
import type { UploadOptions } from './upload.ts';

/** A file on its way to the server. */
export interface Sending {
  /** How much of it the server has, from 0 to 1. */
  share: number;
  /** What an upload needs to say how far it is, and to be stopped. */
  begin(): Pick<UploadOptions, 'onProgress' | 'signal'>;
  stop(): void;
  /** Whether a problem is nothing but that somebody stopped it. */
  wasStopped(problem: Problem | null): boolean;
}

/** Follows an upload, and stops it where somebody wants that. */
export function useSending(): Sending {
  const [share, setShare] = useState(0);
  const stop = useRef<AbortController | null>(null);
  return {
    share,
    begin() {
      const controller = new AbortController();
      stop.current = controller;
      setShare(0);
      return { onProgress: setShare, signal: controller.signal };
    },
    stop: () => stop.current?.abort(),
    wasStopped: (problem) => stop.current?.signal.aborted === true && problem?.kind === 'lost-connection',
  };
}
