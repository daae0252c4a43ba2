import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { call } from './call.ts';
import type { Problem } from './problem.ts';
import type { Page } from './types.ts';

/** Something that is read when a page is shown. */
export interface Loaded<T> {
  /** Null until it is there. What was there stays while it is read again. */
  data: T | null;
  /** Why it could not be read the last time. */
  problem: Problem | null;
  isLoading: boolean;
  /** The ETag of `data`. */
  etag: string | null;
  reload(): Promise<void>;
  /** Puts something newer in the place of `data`, such as the answer to a change. */
  replace(data: T, etag?: string | null): void;
}

/** Reads a path of the API, and again whenever the path is another. @param path null: nothing is read */
export function useLoad<T>(path: string | null): Loaded<T> {
  const [state, setState] = useState<
    Pick<Loaded<T>, 'data' | 'problem' | 'isLoading' | 'etag'> & { path: string | null }
  >({ path, data: null, problem: null, isLoading: path !== null, etag: null });
  const latest = useRef<AbortController | null>(null);

  const reload = useCallback(async () => {
    latest.current?.abort();
    if (path === null) return;
    const controller = new AbortController();
    latest.current = controller;
    setState((before) => ({
      ...(before.path === path ? before : { data: null, etag: null, problem: null }),
      path,
      isLoading: true,
    }));
    const answer = await call<T>('GET', path, { signal: controller.signal });
    if (controller.signal.aborted) return;
    setState((before) =>
      answer.ok
        ? { path, data: answer.body, etag: answer.etag, problem: null, isLoading: false }
        : { ...before, path, problem: answer.problem, isLoading: false },
    );
  }, [path]);

  useEffect(() => {
    void reload();
    return () => latest.current?.abort();
  }, [reload]);

  const replace = useCallback(
    (data: T, etag: string | null = null) => setState((before) => ({ ...before, data, etag, problem: null })),
    [],
  );
  // Before the effect has run, the state is that of the former path.
  const shown = state.path === path ? state : { data: null, problem: null, isLoading: path !== null, etag: null };
  return { ...shown, reload, replace };
}

/** A list of which more can be read. */
export interface LoadedList<T> {
  /** Null until the first page is there. */
  items: T[] | null;
  problem: Problem | null;
  isLoading: boolean;
  hasMore: boolean;
  loadMore(): Promise<void>;
  reload(): Promise<void>;
  /** Changes items in place, such as one that was just voided. */
  change(how: (items: T[]) => T[]): void;
}

/** Reads a list of the API page by page. @param path with its filters, without a cursor; null: nothing is read */
export function useList<T>(path: string | null): LoadedList<T> {
  const first = useLoad<Page<T>>(path);
  const [more, setMore] = useState<{ path: string | null; items: T[]; cursor: string | null } | null>(null);
  const [state, setState] = useState<{ isLoading: boolean; problem: Problem | null }>({
    isLoading: false,
    problem: null,
  });
  const further = more !== null && more.path === path ? more : null;
  const cursor = further === null ? (first.data?.nextCursor ?? null) : further.cursor;

  const loadMore = useCallback(async () => {
    if (path === null || cursor === null) return;
    setState({ isLoading: true, problem: null });
    const answer = await call<Page<T>>(
      'GET',
      `${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(cursor)}`,
    );
    setState({ isLoading: false, problem: answer.ok ? null : answer.problem });
    if (!answer.ok) return;
    const { data, nextCursor } = answer.body;
    setMore((before) => ({
      path,
      items: [...(before?.path === path ? before.items : []), ...data],
      cursor: nextCursor,
    }));
  }, [path, cursor]);

  const reload = async () => {
    setMore(null);
    await first.reload();
  };
  const change = (how: (items: T[]) => T[]) => {
    if (first.data !== null) first.replace({ ...first.data, data: how(first.data.data) });
    if (further !== null) setMore({ ...further, items: how(further.items) });
  };
  return {
    items: first.data === null ? null : [...first.data.data, ...(further?.items ?? [])],
    problem: first.problem ?? state.problem,
    isLoading: first.isLoading || state.isLoading,
    hasMore: cursor !== null,
    loadMore,
    reload,
    change,
  };
}
