import { createInterface } from 'node:readline/promises';
import { interruption } from '../../support/interruption';
import { LeftHalfWay } from '../run';

/** Where the operator reads and answers; over SSH and in tmux it is a plain line of text. */
export interface Terminal {
  say(text: string): void;
  /** @throws LeftHalfWay when the terminal is closed, or the reason of an interruption. */
  ask(question: string): Promise<string>;
  /** @throws as `ask`, when nobody is there any more. */
  assertOpen(): void;
  close(): void;
}

/** The terminal this process runs on. */
export function openTerminal(): Terminal {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  const closed = new AbortController();
  lines.once('close', () => closed.abort(new LeftHalfWay('the terminal was closed')));
  // While readline reads, the terminal sends no signal for Ctrl-C, and readline would take it for an end of input.
  lines.on('SIGINT', () => process.emit('SIGINT'));
  const gone = (): AbortSignal => AbortSignal.any([closed.signal, interruption()].filter((one) => one !== undefined));
  return {
    say: (text) => console.log(text),
    assertOpen: () => gone().throwIfAborted(),
    ask: async (question) => {
      const signal = gone();
      signal.throwIfAborted();
      return lines.question(question, { signal }).catch((thrown: unknown) => {
        signal.throwIfAborted();
        throw thrown;
      });
    },
    close: () => lines.close(),
  };
}
