/** What is known of how whole the marks are. */
export interface MarksWholeness {
  /** Lines of a version that marked once a second. */
  readonly unnumbered: number;
  readonly holes: readonly { readonly missing: number }[];
}

/** Two seconds of dealing at full speed, of which marks that are written once a second miss at most one. */
const marginOfUnnumbered = 20_000;
/** Members of a batch (batchLimits.maxMembers), each of which may have dealt a code of the same deck. */
const codesPerLine = 256;

/**
 * Codes to pass in each deck beyond its mark where nobody says how many: none where every line is there, since each
 * deal is marked before its COMMIT; for lines that are missing, as many as they can have been about.
 */
export function defaultMargin({ unnumbered, holes }: MarksWholeness): number {
  if (unnumbered > 0) return marginOfUnnumbered;
  const missing = holes.reduce((sum, hole) => sum + hole.missing, 0);
  return Math.min(marginOfUnnumbered, missing * codesPerLine);
}

/** The most of a deck, as a share of its size, that a margin may void without being told so. */
export const marginMaxShare = 0.1;

/** Whether the margin voids more of the deck than goes without saying. */
export function voidsTooMuch(deck: { size: number; voidedByMargin: number }): boolean {
  return deck.voidedByMargin > deck.size * marginMaxShare;
}
