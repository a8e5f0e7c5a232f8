/** Units of figures: seconds, milliseconds, mebibytes. */
export type Unit = 's' | 'ms' | 'MiB';

/** What a benchmark may use while it runs. */
export interface BenchContext {
  /** Shows a line of progress. */
  say(line: string): void;
  /**
   * Records a figure that explains the run's own: a stage of `lab up`, a link of the chain.
   * @param unit the benchmark's own when left away.
   */
  part(name: string, value: number, unit?: Unit): void;
}

/** One benchmark. What it measures is said in full, so that a figure without its page can still be judged. */
export interface Benchmark {
  name: string;
  /** What is measured, from which moment to which, as a clause. */
  what: string;
  unit: Unit;
  /** The wish, for the reader of the table: nothing fails because of it. */
  goal?: string;
  /** What it does to the lab; none for a benchmark that leaves the lab alone. */
  touches?: string;
  /** True when a second run could only say the same: it reads what was measured before. */
  once?: boolean;
  /** Brings about the state in which a run begins; called before every run and before every run of the peer, not measured. */
  before?(context: BenchContext): Promise<void>;
  /** @returns the figure of one run, in `unit`. */
  run(context: BenchContext): Promise<number>;
  /** Something smaller or plainer with the same purpose, measured in the same run on the same machine. */
  peer?: {
    /** What it is and what it leaves out, as a clause. */
    what: string;
    run(context: BenchContext): Promise<number>;
  };
  /** Called once at the end, also after a failure or Ctrl-C: brings the lab back to where others can use it. */
  after?(context: BenchContext): Promise<void>;
}
