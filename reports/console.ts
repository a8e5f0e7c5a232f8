import { TimeConversion, type Envelope, type Pickle, type TestStep } from '@cucumber/messages';
import { redactor } from '../support/evidence/redaction';
import { skipMediaType, skipNote } from '../support/evidence/skip';
import { toned, type Tone } from '../support/terminal';
import { explain } from './explain';
import { isFailure } from './scenarios';

interface Running {
  pickle: Pickle;
  testSteps: readonly TestStep[];
  startedMs: number;
  failure?: { step: string; message: string };
  skipped?: string;
}

/** One line a scenario while the run goes on; the first failure with all it says, at once. */
export class ConsoleReport {
  private readonly pickles = new Map<string, Pickle>();
  private readonly testCases = new Map<string, { pickleId: string; testSteps: readonly TestStep[] }>();
  private readonly hooks = new Map<string, string>();
  private running: Running | undefined;
  private failures = 0;

  constructor(private readonly stream: NodeJS.WriteStream) {}

  receive(envelope: Envelope): void {
    const { pickle, hook, testCase, testCaseStarted, testStepStarted, testStepFinished, attachment } = envelope;
    if (pickle) this.pickles.set(pickle.id, pickle);
    if (hook) this.hooks.set(hook.id, hook.name ?? 'a hook without a name');
    if (testCase) this.testCases.set(testCase.id, testCase);
    if (testCaseStarted) {
      const known = this.testCases.get(testCaseStarted.testCaseId);
      const its = known && this.pickles.get(known.pickleId);
      if (known && its) {
        const startedMs = TimeConversion.timestampToMillisecondsSinceEpoch(testCaseStarted.timestamp);
        this.running = { pickle: its, testSteps: known.testSteps, startedMs };
      }
    }
    if (testStepStarted) this.live(this.stepText(testStepStarted.testStepId));
    if (attachment?.mediaType === skipMediaType && this.running) {
      const { kind, why } = skipNote.parse(JSON.parse(attachment.body));
      this.running.skipped = `${kind}: ${why}`;
    }
    if (testStepFinished && this.running && isFailure(testStepFinished.testStepResult.status)) {
      const { testStepId, testStepResult } = testStepFinished;
      const step = this.stepText(testStepId);
      const { exception, message } = explain(testStepResult, { id: '', text: step, astNodeIds: [] }, undefined);
      // The sentence without the stack, which the reports have.
      this.running.failure ??= { step, message: exception?.message ?? message ?? '' };
    }
    if (envelope.testCaseFinished && this.running) {
      this.ended(this.running, TimeConversion.timestampToMillisecondsSinceEpoch(envelope.testCaseFinished.timestamp));
      this.running = undefined;
    }
  }

  private ended({ pickle, startedMs, failure, skipped }: Running, endedMs: number): void {
    const seconds = ((endedMs - startedMs) / 1000).toFixed(1).padStart(7);
    const line = (verdict: string, tone: Tone, rest = ''): void =>
      this.print(`${toned(tone, verdict.padEnd(7), this.stream)} ${seconds} s  ${pickle.uri} › ${pickle.name}${rest}`);
    if (failure === undefined)
      return skipped === undefined ? line('passed', 'good') : line('skipped', 'open', ` (${skipped})`);
    line('FAILED', 'bad');
    this.failures += 1;
    const message = this.failures === 1 ? failure.message : (failure.message.split('\n')[0] ?? '');
    this.print(indent(`at: ${failure.step}\n${message}`));
  }

  private stepText(testStepId: string): string {
    const testStep = this.running?.testSteps.find(({ id }) => id === testStepId);
    if (testStep?.hookId !== undefined) return this.hooks.get(testStep.hookId) ?? '';
    return this.running?.pickle.steps.find(({ id }) => id === testStep?.pickleStepId)?.text ?? '';
  }

  /** On a terminal: what is being done now, replaced by what comes next. */
  private live(text: string): void {
    if (!this.stream.isTTY) return;
    this.stream.write(`\r\u001b[K${redactor.text(`… ${text}`).slice(0, (this.stream.columns || 80) - 1)}`);
  }

  private print(text: string): void {
    this.stream.write(`${this.stream.isTTY ? '\r\u001b[K' : ''}${redactor.text(text)}\n`);
  }
}

function indent(text: string): string {
  return text.replace(/^/gm, '          ');
}
