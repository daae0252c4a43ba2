import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../containers/local/postgres/embedded-postgres.ts';

/** A PostgreSQL that, like RDS with `rds.force_ssl`, takes nothing but TLS. */
export type TlsPostgres = {
  /** The superuser's URL, over TLS without a check of the certificate. */
  superuserUrl: string;
  /** What a client checks the server's certificate against. */
  certificateFile: string;
  stop(): Promise<void>;
};

const makeCertificate = fileURLToPath(new URL('../emulator/make_certificate.py', import.meta.url));

/** Starts a PostgreSQL of one's own, which refuses every connection that is not encrypted. */
export async function startTlsPostgres(): Promise<TlsPostgres> {
  const root = mkdtempSync(join(tmpdir(), 'qurable-deploy-'));
  chmodSync(root, 0o711);
  const postgres = await startEmbeddedPostgres({
    dataDirectory: join(root, 'postgres'),
    ephemeralRoot: root,
    settings: { max_connections: '60', shared_buffers: '64MB' },
    log: (line) => process.stderr.write(`${line}\n`),
  });
  const url = new URL(postgres.url);
  url.searchParams.set('sslmode', 'no-verify');
  try {
    await turnOnTls(postgres);
    await untilTls(url.href);
  } catch (error) {
    await postgres.stop();
    throw error;
  }
  return {
    superuserUrl: url.href,
    certificateFile: join(root, 'server.crt'),
    stop: () => postgres.stop(),
  };
}

/** The server reads what was set anew a moment after it was told to. */
async function untilTls(url: string): Promise<void> {
  for (;;) {
    const client = new Client(url);
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (!String(error).includes('does not support SSL')) throw error;
      await sleep(20);
    }
  }
}

/** The certificate and the rule are set on the running server: they are read again at a reload. */
async function turnOnTls({ url, dataDirectory }: EmbeddedPostgres): Promise<void> {
  const root = join(dataDirectory, '..');
  const made = spawnSync('python3', [makeCertificate, root], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`no certificate: ${made.stderr}`);
  const { uid, gid } = statSync(dataDirectory);
  for (const name of ['server.crt', 'server.key']) chownSync(join(root, name), uid, gid);
  const client = new Client(url);
  await client.connect();
  try {
    await client.query(`alter system set ssl_cert_file = ${client.escapeLiteral(join(root, 'server.crt'))}`);
    await client.query(`alter system set ssl_key_file = ${client.escapeLiteral(join(root, 'server.key'))}`);
    await client.query('alter system set ssl = on');
    await client.query(`copy (select 'hostssl all all 127.0.0.1/32 scram-sha-256') to program
      ${client.escapeLiteral(`cat > "${join(dataDirectory, 'pg_hba.conf')}"`)}`);
    await client.query('select pg_reload_conf()');
  } finally {
    await client.end();
  }
}
