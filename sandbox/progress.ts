import { localTime } from '../support/terminal';

/** One step of something long: building a component, making a base system, pushing an image. */
export interface ProgressEvent {
  /** What is worked on: "kubernetes", "machine base". */
  subject: string;
  text: string;
  /** True for what a log keeps; false for what the next event may replace. */
  final: boolean;
}

export type OnProgress = (event: ProgressEvent) => void;

/** Lines of a log come at most this often for one subject while it works, in milliseconds. */
const quietMs = 30_000;

/**
 * Shows progress: on a terminal one live line under the finished ones, elsewhere (CI, a file) plain lines with the time.
 * @param stream usually process.stderr, so that standard output stays data.
 */
export function progressReporter(stream: NodeJS.WriteStream, now: () => Date = () => new Date()): OnProgress {
  const shown = new Map<string, number>();
  return ({ subject, text, final }) => {
    if (stream.isTTY) {
      const line = `${subject}: ${text}`.slice(0, Math.max(20, (stream.columns ?? 80) - 1));
      stream.write(`\r\u001b[K${final ? `${subject}: ${text}\n` : line}`);
      return;
    }
    const at = now();
    const last = shown.get(subject);
    if (!final && last !== undefined && at.getTime() - last < quietMs) return;
    shown.set(subject, at.getTime());
    stream.write(`${localTime(at)} ${subject}: ${text}\n`);
  };
}
