import { isTransportError, ProductError } from './product-error';

/** What a person needs to go on after something went wrong: never a bare stack trace. */
export interface FailureParts {
  /** What was attempted, as a clause: "create the network bridge". */
  attempted: string;
  /** The machine, path or endpoint it was attempted on. */
  where?: string;
  expected?: string;
  seen?: string;
  /** The next step for the operator, as an imperative sentence. */
  next: string;
  /** Process exit code for a command that ends on this failure (default 1). */
  exitCode?: number;
  cause?: unknown;
}

/** A failure an operator can act on: one sentence of what happened and the next step. */
export class OperatorError extends Error {
  readonly parts: FailureParts;
  constructor(parts: FailureParts) {
    super(sentence(parts), parts.cause === undefined ? undefined : { cause: parts.cause });
    this.name = 'OperatorError';
    this.parts = parts;
  }
}

function sentence(parts: FailureParts): string {
  const where = parts.where ? ` on ${parts.where}` : '';
  const expected = parts.expected ? ` Expected ${parts.expected}.` : '';
  const seen = parts.seen ? ` Seen: ${parts.seen}.` : '';
  return `Could not ${parts.attempted}${where}.${expected}${seen} Next: ${parts.next}`;
}

/** The text of anything thrown, for a message or a `seen` clause. */
export function reason(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/**
 * Runs a command's main function and turns what it throws into an exit code: an `OperatorError` prints its sentence
 * only, a product that refused or did not answer likewise; anything else is a defect of this project and keeps its stack. Output that nobody reads any more (`| head`) is
 * dropped, and the command ends as it would have.
 */
export function runMain(main: () => Promise<number | void>): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  main().then(
    (code) => {
      process.exitCode = code ?? 0;
    },
    (thrown: unknown) => {
      const told = isOfTheSandbox(thrown) ? ofTheSandbox(thrown) : thrown;
      if (told instanceof OperatorError) {
        process.stderr.write(`${told.message}\n`);
        process.exitCode = told.parts.exitCode ?? 1;
      } else {
        process.stderr.write(
          `A defect in this project: ${thrown instanceof Error ? (thrown.stack ?? '') : String(thrown)}\n`,
        );
        process.exitCode = 70;
      }
    },
  );
}

function isOfTheSandbox(thrown: unknown): boolean {
  return !(thrown instanceof OperatorError) && (thrown instanceof ProductError || isTransportError(thrown));
}

function ofTheSandbox(thrown: unknown): OperatorError {
  const next =
    'look what answers (`npm run lab -- status`, or `npm run target -- check`), and run the same command again.';
  return new OperatorError({ attempted: 'ask a part of the sandbox', seen: reason(thrown), next, cause: thrown });
}
