import type { Finding } from '../finding';
import { parityItems, type Deviation, type Expectation, type ParityItem, type ParityValue } from './manifest';

/** What was seen on the live target, or why it could not be seen. */
export type Observation = { value: ParityValue; source: string } | { error: string; source: string };

/** The judgement of one item. Only the first two are green. */
export type ParityVerdict =
  | 'matches'
  | 'deviates as declared'
  | 'undeclared drift'
  | 'expired deviation'
  | 'deviation no longer observed'
  | 'deviation from nothing'
  | 'not observed';

/** One line of the parity table. */
export interface ParityRow {
  item: ParityItem;
  title: string;
  expected: string;
  observed: string;
  /** The declared deviation in words, empty when there is none. */
  declared: string;
  verdict: ParityVerdict;
  ok: boolean;
  /** Where the observed value was read. */
  source: string;
  /** What the operator does about a verdict that is not ok. */
  next?: string;
}

/** The whole comparison; `ok` when every row is. */
export interface ParityResult {
  target: string;
  at: Date;
  rows: ParityRow[];
  ok: boolean;
}

export interface ParityInput {
  target: string;
  expectations: readonly Expectation[];
  deviations: readonly Deviation[];
  observations: Partial<Record<ParityItem, Observation>>;
  /** Expiry is judged against this moment. A deviation is accepted until the end (UTC) of the day it names. */
  now: Date;
}

/** Compares what production runs with what was seen, item by item. Pure. */
export function compareParity(input: ParityInput): ParityResult {
  const declared = new Map(input.deviations.map((deviation) => [deviation.item, deviation]));
  const rows = input.expectations.map((expectation) =>
    judge(expectation, declared.get(expectation.item), input.observations[expectation.item], input.now),
  );
  const expectedItems = new Set(input.expectations.map(({ item }) => item));
  for (const deviation of input.deviations) {
    if (!expectedItems.has(deviation.item)) rows.push(fromNothing(deviation));
  }
  return { target: input.target, at: input.now, rows, ok: rows.length > 0 && rows.every((row) => row.ok) };
}

function judge(
  { item, expected }: Expectation,
  deviation: Deviation | undefined,
  observation: Observation | undefined,
  now: Date,
): ParityRow {
  const seen = observation ?? { error: 'nothing observed it', source: 'none' };
  const base = {
    item,
    title: parityItems[item],
    expected: words(expected),
    declared: deviation === undefined ? '' : inWords(deviation),
    source: seen.source,
  };
  if ('error' in seen) {
    const next = 'mend what hinders the observation: a value that is not seen is not green.';
    return { ...base, observed: seen.error, verdict: 'not observed', ok: false, next };
  }
  const observed = { ...base, observed: words(seen.value) };
  if (equal(seen.value, expected)) {
    if (deviation === undefined) return { ...observed, verdict: 'matches', ok: true };
    const next = `remove the deviation of ${item}: the target runs what production runs.`;
    return { ...observed, verdict: 'deviation no longer observed', ok: false, next };
  }
  if (deviation === undefined) {
    const next = `bring the target to what production runs${difference(seen.value, expected)}, or declare the deviation with a reason and an expiry.`;
    return { ...observed, verdict: 'undeclared drift', ok: false, next };
  }
  if (!equal(seen.value, deviation.observed)) {
    const next = `what is seen is neither production's nor the declared ${words(deviation.observed)}: bring the target back, or declare this.`;
    return { ...observed, verdict: 'undeclared drift', ok: false, next };
  }
  if (now.getTime() > endOf(deviation.expires)) {
    const next = `close the gap, or renew the deviation of ${item} with a fresh reason.`;
    return { ...observed, verdict: 'expired deviation', ok: false, next };
  }
  return { ...observed, verdict: 'deviates as declared', ok: true };
}

function fromNothing(deviation: Deviation): ParityRow {
  return {
    item: deviation.item,
    title: parityItems[deviation.item],
    expected: 'not in the manifest',
    observed: '',
    declared: inWords(deviation),
    verdict: 'deviation from nothing',
    ok: false,
    source: 'none',
    next: `remove the deviation, or add ${deviation.item} to the parity manifest.`,
  };
}

/** A row as a finding, for waits, fault checks and failure messages. */
export function asFinding(row: ParityRow): Finding {
  return {
    subject: `parity of ${row.item}`,
    status: row.ok ? 'met' : row.verdict === 'not observed' ? 'unknown' : 'unmet',
    expected: row.expected,
    actual: row.ok ? row.observed : `${row.verdict}: ${row.observed || row.declared}`,
    source: row.source,
    ...(row.next === undefined ? {} : { hint: row.next }),
  };
}

/** A value in the report's words; sets in a fixed order. */
export function words(value: ParityValue): string {
  return typeof value === 'string' ? value : [...value].sort().join(', ') || 'none';
}

function inWords(deviation: Deviation): string {
  return `${words(deviation.observed)}: ${deviation.reason} (until ${deviation.expires})`;
}

function equal(one: ParityValue, other: ParityValue): boolean {
  if (typeof one === 'string' || typeof other === 'string') return one === other;
  return words(one) === words(other);
}

/** For sets: what is missing and what is too much. */
function difference(seen: ParityValue, expected: ParityValue): string {
  if (typeof seen === 'string' || typeof expected === 'string') return '';
  const missing = expected.filter((name) => !seen.includes(name));
  const extra = seen.filter((name) => !expected.includes(name));
  const parts = [
    ...(missing.length > 0 ? [`missing ${missing.join(', ')}`] : []),
    ...(extra.length > 0 ? [`too much ${extra.join(', ')}`] : []),
  ];
  return parts.length > 0 ? ` (${parts.join('; ')})` : '';
}

function endOf(date: string): number {
  return Date.parse(`${date}T23:59:59.999Z`);
}
