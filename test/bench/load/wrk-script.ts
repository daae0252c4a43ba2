/** A code in the hands of a user, or on its way there. */
export interface Item {
  code: string;
  userId: string;
  /** The token that the coupon's first lock will have, where a load locks it. */
  lockToken?: string;
}

/** What a load sends. `items` are used up one by one, and the load ends early when there is none left. */
export type Load =
  | {
      kind: 'assign';
      bookIds: string[] /** Requests to a book before the next one; 0: a random book each time. */;
      perBook: number;
    }
  /** Users who all bring one code, each a new one. */
  | { kind: 'redeem-public'; publicCode: string }
  | { kind: 'assign-code' | 'validate' | 'redeem' | 'lock-redeem' | 'list'; items: Item[] }
  | { kind: 'mix'; bookIds: string[]; items: Item[]; fresh: Item[] };

/** What every script begins with. */
export interface ScriptFrame {
  token: string;
  /** Makes the run's idempotency keys its own. */
  run: string;
  addresses: string[];
  /** Files of items, a line each: code, user and the first lock's token, with commas between them. */
  itemsFile: string;
  freshFile: string;
  connections: number;
  /** Requests a second to aim at; null: as many as there can be. */
  pace: number | null;
}

/**
 * The day's mix: 10 assigns, 5 validates, 3 lock + redeem (two requests each) and a list, spread out so that no part of
 * it comes in bursts.
 */
const mixSequence = [...'AVLALAVALAVALALAVALAVG'];
const lockShareOfMix = mixSequence.filter((letter) => letter === 'L').length / mixSequence.length;

/**
 * Writes the Lua script of a load. It answers `request` and prints one line when it is done, which parseResult reads.
 * The tables are filled before the load begins; a request costs the generator a few string operations.
 */
export function writeWrkScript(load: Load, frame: ScriptFrame): string {
  return [head(frame), bodyOf(load, frame), paceOf(frame), done].join('\n');
}

function head({ token, run, addresses }: ScriptFrame): string {
  return `
local addresses = {${addresses.map((address) => `"${new URL(address).port}"`).join(',')}}
local count = 0
function setup(thread)
  thread:set("id", count)
  thread.addr = wrk.lookup("127.0.0.1", addresses[count % #addresses + 1])[1]
  count = count + 1
end
wrk.headers["content-type"] = "application/json"
wrk.headers["authorization"] = "Bearer ${token}"
local k = 0
local function post(path, body)
  k = k + 1
  wrk.headers["idempotency-key"] = "${run}-" .. id .. "-" .. k
  return wrk.format("POST", path, nil, body)
end
local function user() return string.format("user-%010x", math.random(0, 1099511627775)) end
local function read(file)
  local items = {}
  local line = 0
  for text in io.lines(file) do
    if line % #addresses == id then
      local code, holder, token = text:match("([^,]+),([^,]+),(.*)")
      items[#items + 1] = { code = code, holder = holder, token = token }
    end
    line = line + 1
  end
  return items
end
local function at(items, index)
  if index >= #items then wrk.thread:stop() end
  return items[(index - 1) % #items + 1]
end
local function call(item, verb, more)
  return post("/v1/coupons/" .. item.code .. "/" .. verb, '{"userId":"' .. item.holder .. '"' .. (more or "") .. '}')
end
`;
}

function bodyOf(load: Load, frame: ScriptFrame): string {
  const seed = `math.randomseed(${Math.floor(performance.now() * 1000) % 1_000_000_007} + id)`;
  const open = `local items\nlocal i = 0\nfunction init()\n  ${seed}\n  items = read("${frame.itemsFile}")\nend`;
  const nextItem = 'i = i + 1\n  local item = at(items, i)';
  switch (load.kind) {
    case 'assign':
      return `${booksOf(load.bookIds)}\nfunction init() ${seed} end\nfunction request() return assign(${pickOf(load.perBook)}) end`;
    case 'redeem-public':
      return `function init() ${seed} end\nfunction request()\n  return call({ code = "${load.publicCode}", holder = user() }, "redeem", ',"reference":"order-' .. k .. '"')\nend`;
    case 'assign-code':
      return `${open}\nfunction request()\n  ${nextItem}\n  return call(item, "assign")\nend`;
    case 'redeem':
      return `${open}\nfunction request()\n  ${nextItem}\n  return call(item, "redeem", ',"reference":"order-' .. k .. '"')\nend`;
    case 'validate':
      return `${open}\nfunction request()\n  i = i % #items + 1\n  return validate(items[i])\nend\n${validate}`;
    case 'list':
      return `${open}\nfunction request()\n  i = i % #items + 1\n  return list(items[i])\nend\n${list}`;
    case 'lock-redeem':
      return `${open}\n${lockThenRedeem(frame, 1)}\nfunction request() return lock_or_redeem() end`;
    case 'mix':
      return mixBody(load, frame, seed);
  }
}

/** Which book the request number k + 1 goes to, as a Lua expression. */
function pickOf(perBook: number): string {
  if (perBook === 0) return 'books[math.random(1, #books)]';
  return `books[math.floor(k / ${perBook}) % #books + 1]`;
}

function booksOf(bookIds: string[]): string {
  return `local books = {${bookIds.map((id) => `"${id}"`).join(',')}}
local function assign(book)
  return post("/v1/coupons/assign", '{"bookId":"' .. book .. '","userId":"' .. user() .. '"}')
end`;
}

const validate = `function validate(item)
  wrk.headers["idempotency-key"] = nil
  return wrk.format("POST", "/v1/coupons/" .. item.code .. "/validate", nil, '{"userId":"' .. item.holder .. '"}')
end`;

const list = `function list(item)
  wrk.headers["idempotency-key"] = nil
  return wrk.format("GET", "/v1/users/" .. item.holder .. "/coupons")
end`;

/**
 * The token of a coupon's first lock is known beforehand, so its redeem needs nothing out of an answer. It follows
 * after so many other requests of its thread that its lock has been answered: batches are answered in the order of
 * their arrival, or nearly. The first coupon is never redeemed, since wrk asks for one request that it does not send.
 * @param share of all requests that are locks and redeems
 */
function lockThenRedeem({ connections, addresses }: ScriptFrame, share: number): string {
  const lag = Math.ceil(8 * (connections / addresses.length) * share);
  return `local locked, redeemed, turn = 0, 1, 0
local lag = ${lag}
function lock_or_redeem()
  turn = turn + 1
  if turn % 2 == 0 and locked - redeemed > lag then
    redeemed = redeemed + 1
    return call(items[redeemed], "redeem", ',"lockToken":"' .. items[redeemed].token .. '"')
  end
  locked = locked + 1
  return call(at(items, locked), "lock")
end`;
}

function mixBody(load: Load & { kind: 'mix' }, frame: ScriptFrame, seed: string): string {
  return `${booksOf(load.bookIds)}
local order = {${mixSequence.map((letter) => `"${letter}"`).join(',')}}
local items, fresh
local turn_of_mix, v = 0, 0
${validate}
${list}
function init()
  ${seed}
  fresh = read("${frame.freshFile}")
  items = read("${frame.itemsFile}")
end
${lockThenRedeem(frame, lockShareOfMix)}
function request()
  turn_of_mix = turn_of_mix % #order + 1
  local letter = order[turn_of_mix]
  v = v % #fresh + 1
  if letter == "A" then return assign(books[math.random(1, #books)]) end
  if letter == "V" then return validate(fresh[v]) end
  if letter == "G" then return list(fresh[v]) end
  return lock_or_redeem()
end`;
}

/**
 * Requests begin at random times that are fixed beforehand, as those of many strangers do: a connection that has had
 * its answer takes the next of them. So the pace is kept however long answers take, as long as connections are left.
 */
function paceOf({ pace, addresses }: ScriptFrame): string {
  if (pace === null) return '';
  const clock = 1; // CLOCK_MONOTONIC
  return `
local ffi = require("ffi")
ffi.cdef[[typedef struct { long seconds; long nanos; } moment; int clock_gettime(int, moment *);]]
local moment = ffi.new("moment")
local next_at
function delay()
  ffi.C.clock_gettime(${clock}, moment)
  local now = tonumber(moment.seconds) * 1000 + tonumber(moment.nanos) / 1000000
  next_at = (next_at or now) - math.log(1 - math.random()) * ${(addresses.length / pace) * 1000}
  return math.max(0, math.floor(next_at - now))
end`;
}

const done = `function done(summary, latency)
  io.write(string.format("RESULT %d %d %d %d %d %d %d\\n", summary.requests, summary.duration, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end`;
