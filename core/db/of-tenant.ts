/**
 * The condition that a row is the tenant's, whose id is the statement's first parameter, for what is looked up by a key
 * that does not begin with the tenant. It goes behind the name of the table, if that has one: `c.${ofTenant}`.
 *
 * A statement names its tenant for every table, so that a PostgreSQL that is distributed by tenant runs it whole on the
 * tenant's server. On one server the plain condition is a trap: every index that begins with the tenant fits it too,
 * and while PostgreSQL knows little of the tables it may read the whole tenant by one (proved by "no statement of a
 * process reads more of its tenant as tables grow"). Compared as an `oid` the number is the same and fits no index: a
 * row is found by its own key, and then checked. Citus takes such a cast off before it looks for the server.
 */
export const ofTenant = 'tenant_id = $1::int::oid';
