import { type Static, Type } from 'typebox';
import { Id, oneOf, Time } from '../input/shapes.ts';
import { limits } from '../limits.ts';

/** A session of the console as its owner sees it. */
export const SessionView = Type.Object({
  id: Id,
  name: Type.String({ description: 'Who is signed in: the API key’s name, the person’s, or `root`.' }),
  role: oneOf(['root', 'admin', 'operator', 'redeemer'], { examples: ['admin'] }),
  tenant: Type.Object({ slug: Type.String(), name: Type.String() }),
  createdAt: Time,
  /** Written seldom, so it may be a minute old. */
  usedAt: Time,
  /** When it ends unless it is used until then. */
  idleUntil: Time,
  /** When it ends however it is used. */
  endsAt: Time,
});
export type SessionView = Static<typeof SessionView>;

/** The role of a session: a customer has none. */
export type SessionRole = SessionView['role'];

/** A session's row, as `sessionColumns` reads it. */
export interface SessionRow {
  id: string;
  name: string;
  role: SessionRole;
  slug: string;
  tenantName: string;
  createdAt: Date;
  usedAt: Date;
  endsAt: Date;
}

/**
 * A session with what it stands on, for a `from` of queries. A session whose key is gone has no row in `k`, and does
 * not live.
 */
export const sessionTables = `console_sessions s
  join tenants t on t.tenant_id = s.tenant_id
  left join api_keys k on k.key_id = s.key_id and k.tenant_id = s.tenant_id
  left join console_people p on p.person_id = s.person_id and p.tenant_id = s.tenant_id`;

/** The columns that make a SessionRow, of `sessionTables`. */
export const sessionColumns = `s.id, s.role, coalesce(k.name, p.name, 'root') as name, t.slug, t.name as "tenantName",
  s.created_at as "createdAt", s.used_at as "usedAt", least(s.ends_at, k.expires_at) as "endsAt"`;

/**
 * The condition under which a session lives, of `sessionTables`. $1 is the check of today's bootstrap key and $2 the
 * issuer of today's company sign-in, each null where there is none: a session does not outlive the way that it came in.
 */
export const sessionLives = `s.ends_at > clock_timestamp()
  and s.used_at > clock_timestamp() - interval '${limits.sessionIdleMaxMinutes} minutes'
  and case
    when s.key_id is not null
      then k.key_id is not null and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())
    when s.person_id is not null then p.issuer = $2
    else s.root_check = $1 end`;

/** A row as its owner sees it. */
export function sessionView({ slug, tenantName, ...row }: SessionRow): SessionView {
  const idleUntil = row.usedAt.getTime() + limits.sessionIdleMaxMinutes * 60_000;
  return {
    ...row,
    tenant: { slug, name: tenantName },
    createdAt: row.createdAt.toISOString(),
    usedAt: row.usedAt.toISOString(),
    idleUntil: new Date(Math.min(idleUntil, row.endsAt.getTime())).toISOString(),
    endsAt: row.endsAt.toISOString(),
  };
}
