import { useMemo } from 'preact/hooks';
import { linkTo, part } from '../../address/address.ts';
import { isAdmin } from '../../calls/session.ts';
import type { Book, Job, Page as ListPage, Webhook } from '../../calls/types.ts';
import { useFresh } from '../../calls/use-fresh.ts';
import { formatDistance, formatMoment, formatShare, placeOf, viewerZone } from '../../language/formats.ts';
import { messages } from '../../messages/messages.ts';
import { Breakable } from '../../parts/breakable.tsx';
import { ProblemBox } from '../../parts/problem-box.tsx';
import { type Attention, attentionOf } from './book-attention.ts';

/** As many active books are looked through for what needs attention: one answer of the API, whatever there is. */
const booksMax = 200;
/** What is shown at once; the rest is a number. */
const shownMax = 12;
/** A screen on a wall is looked at for hours. */
const everyMillis = 30_000;
/** A job that failed before this time has been seen, or nobody waits for it. */
const failedJobMillis = 72 * 3_600_000;

/** Something that somebody has to look at. */
interface Item {
  key: string;
  /** Where one looks at it. */
  link: string;
  /** What it is about. */
  name: string;
  sentence: string;
  /** Whether customers or other systems are without something now, rather than soon. */
  isUrgent: boolean;
}

/** What needs attention: books, webhooks that fail and jobs that failed, the urgent first. */
export function AttentionList() {
  const text = messages().overview;
  const active = useFresh<ListPage<Book>>(`/v1/books?status=active&limit=${booksMax}`, everyMillis);
  const webhooks = useFresh<ListPage<Webhook>>(isAdmin() ? '/v1/webhooks?limit=100' : null, everyMillis);
  const jobs = useFresh<ListPage<Job>>('/v1/jobs?limit=100', everyMillis);
  const books = active.data?.data;
  const items = useMemo(() => {
    const now = Date.now();
    return [
      ...(books ?? []).flatMap((book) => attentionOf(book, now).map((attention) => bookItem(book, attention, now))),
      ...(webhooks.data?.data ?? []).flatMap(webhookItems),
      ...(jobs.data?.data ?? []).flatMap((job) => jobItems(job, books ?? [], now)),
    ].sort((one, other) => Number(other.isUrgent) - Number(one.isUrgent));
    // Anew in another language.
  }, [books, webhooks.data, jobs.data, text]);
  const problem = active.problem ?? webhooks.problem ?? jobs.problem;
  if (books === undefined) {
    return problem === null ? <p class="loading">{messages().common.loading}</p> : <ProblemBox problem={problem} />;
  }
  return (
    <section aria-labelledby="attention" class="attention">
      <h2 id="attention">{text.attention}</h2>
      {items.length === 0 ? (
        <p class="muted">{text.allWell}</p>
      ) : (
        <ul>
          {items.slice(0, shownMax).map(({ key, link, name, sentence, isUrgent }) => (
            <li key={key} class={isUrgent ? 'urgent' : undefined}>
              <a href={link} dir="auto" aria-label={name}>
                <Breakable text={name} />
              </a>
              <span>{sentence}</span>
            </li>
          ))}
        </ul>
      )}
      {items.length > shownMax && <p class="muted">{text.attentionMore(items.length - shownMax)}</p>}
      {active.data?.nextCursor != null && <p class="muted">{text.attentionOf(booksMax)}</p>}
      <ProblemBox problem={problem} />
    </section>
  );
}

function bookItem(book: Book, attention: Attention, now: number): Item {
  return {
    key: `${book.id} ${attention.kind}`,
    link: linkTo(`/books/${book.id}`),
    name: book.name,
    sentence: sentenceOf(attention, book, now),
    isUrgent: attention.kind !== 'running-out' && attention.kind !== 'ending',
  };
}

function sentenceOf(attention: Attention, book: Book, now: number): string {
  const text = messages().overview;
  const at = (moment: string) => messages().common.inZone(formatMoment(moment, book.timeZone), placeOf(book.timeZone));
  switch (attention.kind) {
    case 'no-codes':
      return text.noCodes;
    case 'exhausted':
      return text.exhausted;
    case 'running-out':
      return text.runningOut(attention.left, formatShare(attention.share));
    case 'ended':
      return text.ended(at(attention.at));
    case 'ending':
      return text.ending(formatDistance(attention.at, now), at(attention.at));
  }
}

/** One that an admin switched off is as it was wanted. */
function webhookItems({ id, url, status, disabledReason, failingSince }: Webhook): Item[] {
  const { overview, webhooks } = messages();
  const isOff = status === 'disabled' && disabledReason !== null && disabledReason !== 'by-admin';
  if (!isOff && (status === 'disabled' || failingSince === null)) return [];
  return [
    {
      key: id,
      link: linkTo(`/webhooks/${part(id)}`),
      name: overview.webhook(url),
      sentence: isOff
        ? webhooks.reasons[disabledReason]
        : overview.failing(messages().common.viewerTime(formatMoment(failingSince!, viewerZone()))),
      isUrgent: true,
    },
  ];
}

function jobItems({ id, kind, bookId, status, finishedAt }: Job, books: readonly Book[], now: number): Item[] {
  if (status !== 'failed' || finishedAt === null || Date.parse(finishedAt) < now - failedJobMillis) return [];
  const { overview, jobs } = messages();
  const book = books.find((one) => one.id === bookId)?.name;
  return [
    {
      key: id,
      link: linkTo('/jobs', { job: id }),
      name: book === undefined ? jobs.kinds[kind] : `${jobs.kinds[kind]}, ${book}`,
      sentence: overview.jobFailed(formatDistance(finishedAt, now)),
      isUrgent: true,
    },
  ];
}
