import { type ComponentChildren, Fragment } from 'preact';
import type { Health } from '../calls/types.ts';
import { useFresh } from '../calls/use-fresh.ts';
import { formatDuration, formatNumber, viewerZone } from '../language/formats.ts';
import { type Messages, messages } from '../messages/messages.ts';
import { Badge, type Tone } from '../parts/badge.tsx';
import { Table } from '../parts/list-table.tsx';
import { Page } from '../parts/page.tsx';
import { ProblemBox } from '../parts/problem-box.tsx';
import { Moment, ShortMoment } from '../parts/time.tsx';

const path = '/console/health';
const everyMillis = 5_000;
/** A figure that is shown with what it means. */
type Fact = Exclude<keyof Messages['health']['meanings'], 'pools' | 'tasks'>;

/** Marks that were last repeated so long ago are late. */
const marksMaxAgeMillis = 10_000;

/** How the process that answers fares, for operators. */
export function HealthPage() {
  const text = messages();
  const { data: health, problem, reload } = useFresh<Health>(path, everyMillis);
  return (
    <Page title={text.health.title} intro={<p>{text.health.intro}</p>}>
      {health === null && problem === null && <p class="loading">{text.common.loading}</p>}
      {health === null && <ProblemBox problem={problem} retry={() => void reload()} />}
      {health !== null && <Known health={health} />}
    </Page>
  );
}

function Known({ health }: { health: Health }) {
  const text = messages().health;
  const { process, queueAgeMillis, marksAgeMillis } = health;
  const isLate = marksAgeMillis > marksMaxAgeMillis;
  const facts: [Fact, ComponentChildren][] = [
    ['version', health.version],
    ['uptime', <Uptime key="uptime" seconds={health.uptimeSeconds} />],
    ['database', <Reach key="database" {...health.database} />],
    ['schema', <Schema key="schema" {...health.database} />],
    ['replica', <Replica key="replica" replica={health.replica} />],
    ['redis', <Redis key="redis" state={health.redis} />],
    ['queue', formatDuration(queueAgeMillis)],
    [
      'marks',
      <>
        {isLate && <Badge tone="warning">{text.late}</Badge>} {text.ago(formatDuration(marksAgeMillis))}
      </>,
    ],
    ...(process === null ? [] : [['dropped', formatNumber(process.droppedLogLines)] as [Fact, string]]),
  ];
  return (
    <>
      <dl class="facts">
        {facts.map(([fact, value]) => (
          <Fragment key={fact}>
            <dt>{text[fact]}</dt>
            <dd>
              <div>{value}</div>
              <p class="fact-meaning">{text.meanings[fact]}</p>
            </dd>
          </Fragment>
        ))}
      </dl>
      {process === null ? <p class="muted">{text.othersOnly}</p> : <Process process={process} />}
    </>
  );
}

function Uptime({ seconds }: { seconds: number }) {
  return <Moment at={new Date(Date.now() - seconds * 1_000).toISOString()} zone={viewerZone()} />;
}

function Reach({ reachable, millis }: { reachable: boolean; millis: number | null }) {
  const text = messages().health;
  return reachable ? (
    <Badge tone="good">{text.reachable(formatDuration(millis ?? 0))}</Badge>
  ) : (
    <Badge tone="danger">{text.unreachable}</Badge>
  );
}

function Schema({ schemaVersion, neededSchemaVersion }: Health['database']) {
  const text = messages().health;
  if (schemaVersion === null) return <>{text.unreachable}</>;
  // A newer one is there while servers of the next version are brought up beside this one.
  if (schemaVersion >= neededSchemaVersion) return <>{text.schemaIs(formatNumber(schemaVersion))}</>;
  return (
    <Badge tone="danger">{text.schemaWrong(formatNumber(schemaVersion), formatNumber(neededSchemaVersion))}</Badge>
  );
}

function Replica({ replica }: { replica: Health['replica'] }) {
  const text = messages().health;
  if (replica === null) return <span class="muted">{text.notConfigured}</span>;
  return (
    <>
      <Reach {...replica} /> {replica.behindMillis !== null && text.behind(formatDuration(replica.behindMillis))}
    </>
  );
}

const redisTones: Record<NonNullable<Health['redis']>, Tone> = { ready: 'good', away: 'warning', closed: 'quiet' };

function Redis({ state }: { state: Health['redis'] }) {
  const text = messages().health;
  if (state === null) return <span class="muted">{text.notConfigured}</span>;
  return <Badge tone={redisTones[state]}>{text.redisStates[state]}</Badge>;
}

function Process({ process: { pools, tasks } }: { process: NonNullable<Health['process']> }) {
  const text = messages().health;
  return (
    <div class="beside">
      <section aria-labelledby="pools">
        <h2 id="pools">{text.pools}</h2>
        <p class="fact-meaning">{text.meanings.pools}</p>
        <Table
          caption={text.pools}
          rows={pools}
          keyOf={({ name }) => name}
          columns={[
            { title: text.pool, isHead: true, cell: ({ name }) => text.poolNames[name] ?? name },
            { title: text.open, isNumber: true, cell: ({ open }) => formatNumber(open) },
            { title: text.max, isNumber: true, cell: ({ max }) => formatNumber(max) },
            { title: text.idle, isNumber: true, cell: ({ idle }) => formatNumber(idle) },
            { title: text.waiting, isNumber: true, cell: ({ waiting }) => formatNumber(waiting) },
          ]}
        />
      </section>
      {tasks.length > 0 && (
        <section aria-labelledby="tasks">
          <h2 id="tasks">{text.tasks}</h2>
          <p class="fact-meaning">{text.meanings.tasks}</p>
          <Table
            caption={text.tasks}
            rows={tasks}
            keyOf={({ name }) => name}
            columns={[
              {
                title: text.task,
                isHead: true,
                // The log and the metrics know a task by its own name.
                cell: ({ name }) => (
                  <>
                    {text.taskNames[name] ?? name}{' '}
                    {name in text.taskNames && (
                      <span class="task-name muted">
                        {text.inLog} <span lang="en">{name}</span>
                      </span>
                    )}
                  </>
                ),
              },
              {
                title: text.taskState,
                cell: ({ failuresInARow }) =>
                  failuresInARow === 0 ? (
                    <Badge tone="good">{text.fine}</Badge>
                  ) : (
                    <Badge tone="danger">{`${text.failures}: ${formatNumber(failuresInARow)}`}</Badge>
                  ),
              },
              {
                title: text.lastFailedAt,
                cell: ({ lastFailedAt }) =>
                  lastFailedAt === null ? (
                    <span class="muted">{text.never}</span>
                  ) : (
                    <ShortMoment at={lastFailedAt} zone={viewerZone()} />
                  ),
              },
            ]}
          />
        </section>
      )}
    </div>
  );
}
