import { PutObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import type { DrillReport } from './make-report.ts';

/** The reports of a stage's drills. */
export interface DrillReports {
  /** Keeps a report, and returns where. */
  keep(report: DrillReport): Promise<string>;
  /** When the newest report that says yes was kept, in milliseconds since the Unix epoch; null where there is none. */
  readNewestGood(): Promise<number | null>;
}

/** Where they lie in the bucket: those that say yes apart, so that the newest of them is found without reading any. */
const folders = { good: 'drills/good/', bad: 'drills/bad/' };

/** The reports in a bucket. */
export function drillReports(s3: S3Client, bucket: string): DrillReports {
  return {
    keep: async (report) => {
      const name = `${report.beganAt.replaceAll(':', '-')}-${report.instance.split('-').at(-1)}.json`;
      const key = `${report.good ? folders.good : folders.bad}${name}`;
      const text = `${JSON.stringify(report, null, 2)}\n`;
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: text, ContentType: 'application/json' }));
      return key;
    },
    readNewestGood: async () => {
      let newest: number | null = null;
      for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: bucket, Prefix: folders.good }))
        for (const { LastModified } of page.Contents ?? [])
          if (LastModified !== undefined) newest = Math.max(newest ?? 0, LastModified.getTime());
      return newest;
    },
  };
}
