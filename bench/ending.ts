import { OperatorError } from '../support/failure';
import { interrupt, isInterrupted } from '../support/interruption';

/**
 * Ctrl-C or SIGTERM once: the running benchmark ends and the lab is made whole; what was measured before stays. Twice: the
 * process ends at once. The lab's state on disk then says what is left to do, and `lab up` does it.
 */
export function endInOrder(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isInterrupted()) {
        console.log('Ended at once: `npm run lab -- up` makes the lab whole.');
        process.exit(130);
      }
      console.log(`\n${signal}: ending after this benchmark has put the lab in order; once more ends at once.`);
      interrupt(
        new OperatorError({
          attempted: 'finish this benchmark',
          seen: signal,
          next: 'run the same command again.',
          exitCode: 130,
        }),
      );
    });
  }
}
