import { useMemo } from 'preact/hooks';
import { address, changeQuery } from '../../address/address.ts';
import type { Report } from '../../calls/types.ts';
import { useReport } from '../../calls/use-report.ts';
import { formatDay, formatExactMoment, formatMoment, formatNumber, placeOf } from '../../language/formats.ts';
import { messages } from '../../messages/messages.ts';
import { Chart } from '../../parts/chart.tsx';
import { SelectField } from '../../parts/field.tsx';
import type { Series } from '../../parts/line-plot.tsx';
import { ProblemBox } from '../../parts/problem-box.tsx';

const steps = ['hour', 'day'] as const;
/** How far back one may look, by the step: as much as a chart shows with a step still seen. */
const spans = { hour: [1, 3, 7], day: [7, 30, 90, 365] } as const;
const usualSpan = { hour: 7, day: 30 } as const;
const dayMillis = 86_400_000;
const kinds = ['assigned', 'redeemed', 'locked', 'reversed', 'voided'] as const;

/**
 * What happened in a book by the hour or day, as a chart and as a table.
 * @param asOf since when the counts that stand above it are what they are
 */
export function BookReport({ bookId, asOf }: { bookId: string; asOf: string | null }) {
  const text = messages();
  const { query } = address.value;
  const step = steps.find((name) => name === query.get('step')) ?? 'hour';
  const asked = Number(query.get('days'));
  const days = spans[step].find((span) => span === asked) ?? usualSpan[step];
  // Counted from the moment at which it is asked for, which the path then names.
  const from = useMemo(() => new Date(Date.now() - days * dayMillis).toISOString(), [days]);
  const path = `/v1/books/${bookId}/report?step=${step}&from=${encodeURIComponent(from)}`;
  const report = useReport(path, asOf, 2_000);
  return (
    <section aria-labelledby="report">
      <div class="section-head">
        <h2 id="report">{text.report.title}</h2>
        <div class="filters">
          <SelectField
            label={text.report.step}
            value={step}
            onValue={(name) => changeQuery({ step: name, days: null })}
            options={steps.map((name) => [name, text.report.steps[name]] as const)}
          />
          <SelectField
            label={text.report.span}
            value={String(days)}
            onValue={(value) => changeQuery({ days: value })}
            options={spans[step].map((span) => [String(span), text.common.days(span)] as const)}
          />
        </div>
      </div>
      <ProblemBox problem={report.problem} retry={() => void report.reload()} />
      {report.data === null && report.problem === null && <p class="loading">{text.common.loading}</p>}
      {report.data !== null && <ReportChart report={report.data} />}
    </section>
  );
}

function ReportChart({ report }: { report: Report }) {
  const text = messages().report;
  const { timeZone: zone, step, settledUntil } = report;
  // The same numbers again are no reason to draw them anew, below somebody's pointer.
  const data = useMemo(() => report.data, [JSON.stringify(report.data)]);
  const times = useMemo(() => data.map(({ at }) => Date.parse(at) / 1_000), [data]);
  const series = useMemo<Series[]>(
    () =>
      kinds
        .map((kind, at) => ({
          label: text[kind],
          values: data.map((row) => row[kind]),
          tone: (at + 1) as Series['tone'],
        }))
        // What there was none of is no line at the bottom; the two that everybody looks for are always there.
        .filter(({ values }, at) => at < 2 || values.some((value) => value > 0)),
    [data, text],
  );
  const sum = (kind: (typeof kinds)[number]) => formatNumber(data.reduce((total, row) => total + row[kind], 0));
  const name = (seconds: number) => (step === 'day' ? formatDay : formatMoment)(new Date(seconds * 1_000), zone);
  if (data.every((row) => kinds.every((kind) => row[kind] === 0))) return <p class="muted">{text.nothing}</p>;
  return (
    <>
      <Chart
        caption={text.caption(sum('assigned'), sum('redeemed'), name(times[0]!), placeOf(zone))}
        times={times}
        series={series}
        zone={zone}
        nameStep={name}
        stepTitle={text.stepTitles[step]}
      />
      <p class="muted">{text.settled(formatExactMoment(settledUntil, zone))}</p>
    </>
  );
}
