import { styleText } from 'node:util';

/** What a colour says; everything is readable without it. */
const styles = { good: 'green', bad: 'red', open: 'yellow' } as const;
export type Tone = keyof typeof styles;

/** Whether a stream shows colours: a terminal that has them, and nobody who said NO_COLOR (no-color.org: any text but ''). */
export function showsColours(
  stream: { isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  return stream.isTTY === true && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb';
}

/** A word in a colour, where the stream shows any. */
export function toned(tone: Tone, text: string, stream: { isTTY?: boolean } = process.stdout): string {
  return showsColours(stream) ? styleText(styles[tone], text, { validateStream: false }) : text;
}

const clock = new Intl.DateTimeFormat('en-GB', {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'short',
});

/** A time as an operator reads it, in local time with its zone: `2026-11-21 13:20:26 CET`. What is no time stays as it is. */
export function localTime(time: Date | string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return String(time);
  const parts = new Map(clock.formatToParts(date).map(({ type, value }) => [type, value]));
  const of = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
  return `${of('year')}-${of('month')}-${of('day')} ${of('hour')}:${of('minute')}:${of('second')} ${of('timeZoneName')}`;
}
