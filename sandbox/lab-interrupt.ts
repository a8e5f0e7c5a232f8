import { OperatorError } from '../support/failure';

/** Exit code of a command ended by Ctrl-C: 128 and SIGINT's number, as shells have it. */
const interruptedExitCode = 130;

/**
 * Runs work that Ctrl-C (or SIGTERM) ends in good order: the signal tells it to stop; a second Ctrl-C ends it at once.
 * @throws OperatorError with exit code 130 when it was interrupted.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(interruptedExitCode);
    process.stderr.write('\nStopping in good order; press Ctrl-C again to end at once.\n');
    controller.abort(new Error('interrupted'));
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, interrupt);
  try {
    return await work(controller.signal);
  } catch (thrown) {
    if (!controller.signal.aborted) throw thrown;
    throw new OperatorError({
      attempted: 'finish: it was interrupted',
      next: 'run `npm run lab -- up` to go on where it stopped, or `npm run lab -- down` to take the lab away.',
      exitCode: interruptedExitCode,
      cause: thrown,
    });
  } finally {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, interrupt);
  }
}
