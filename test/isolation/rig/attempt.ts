import type { RefusalKind } from '../../../support/isolation';

/** One way to reach production that a person, a library or a mistake could take. */
export interface Attempt {
  name: string;
  /** Which line is expected to stop it: the judged command (first) or the socket itself (second). */
  line: 'first' | 'second';
  /** The reason it must be refused for. */
  kind: RefusalKind;
  /** Where it arrives when nothing stops it. */
  reaches: string;
  act(web: { port: number }): Promise<unknown>;
}
