import { OperatorError } from '../failure';
import { interrupt, isInterrupted } from '../interruption';

/**
 * Ctrl-C or SIGTERM once: the waiting step ends, the scenario's undo runs, the other scenarios are skipped, the reports are
 * written. Twice: the process ends at once; what was to be undone is on disk for the next run.
 * @param also what else to end.
 */
export function endOnSignals(also: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isInterrupted()) process.exit(130);
      console.log(`\n${signal}: ending after the undo of this scenario; once more ends at once.`);
      interrupt(
        new OperatorError({
          attempted: 'finish this scenario',
          seen: signal,
          next: 'run the same command again.',
        }),
      );
      also();
    });
  }
}
