import { readFileSync, writeFileSync } from 'node:fs';
import { sharedBuffersMb } from './postgres-settings.ts';

const limitFile = '/proc/sys/vm/nr_overcommit_hugepages';
/** shared_buffers and a tenth for PostgreSQL's other shared memory, in pages of 2 MB. */
const pagesNeeded = Math.ceil((sharedBuffersMb * 1.1) / 2);

/**
 * Lets PostgreSQL have its shared memory in pages of 2 MB, as the deployment's has it (resources/database.yml). With 4
 * kB pages each backend meets a page fault for every page that it touches first, and the processor forgets where pages
 * are faster than it learns: random changes over a gigabyte took two to four times the processor's time, which hid what
 * the product's statements cost. Pages are allotted on demand and go with PostgreSQL; only the limit is the machine's,
 * and it is put back when this process ends. Does nothing where that is not allowed: the report says which pages there
 * were.
 */
export function allowHugePages(): void {
  let before: string;
  try {
    before = readFileSync(limitFile, 'utf8');
    if (Number(before) >= pagesNeeded) return;
    writeFileSync(limitFile, String(pagesNeeded));
  } catch {
    return;
  }
  process.once('exit', () => writeFileSync(limitFile, before));
}

/** Whether a process has memory in such pages. */
export function hasHugePages(pid: number): boolean {
  return /^HugetlbPages:\s+[1-9]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}
