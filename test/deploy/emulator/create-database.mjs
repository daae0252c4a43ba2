// Makes a database and its owner, told on standard input, as RDS does when it creates an instance.
import pg from 'pg';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { url, name, owner, password } = JSON.parse(Buffer.concat(chunks).toString());
const client = new pg.Client(url);
await client.connect();
const [role, database] = [client.escapeIdentifier(owner), client.escapeIdentifier(name)];
// The administrator of RDS is no superuser.
const known = async (query, value) => (await client.query(query, [value])).rowCount > 0;
if (!(await known('select from pg_roles where rolname = $1', owner)))
  await client.query(`create role ${role} login createrole createdb`);
// What it may pass on.
await client.query(`grant pg_monitor, pg_signal_backend to ${role} with admin option`);
await client.query(`alter role ${role} password ${client.escapeLiteral(password)}`);
const exists = await known('select from pg_database where datname = $1', name);
await client.query(
  exists ? `alter database ${database} owner to ${role}` : `create database ${database} owner ${role}`,
);
await client.end();
