import { mkdirSync, rmSync } from 'node:fs';
import type { IFormatterOptions } from '@cucumber/cucumber';
import type { Attachment, Envelope } from '@cucumber/messages';
import { redactor as runRedactor, type Redactor } from '../support/evidence/redaction';
import { skipMediaType, skipNote } from '../support/evidence/skip';
import type { ScenarioMessages } from './explain';
import { allureWriter, htmlWriter, junitWriter, messagesWriter, reportFiles, type Writer } from './writers';

/**
 * Where Cucumber's messages become reports. All writers stand behind the one redaction here: nothing else of the suite
 * writes what a scenario said. A scenario's messages are held until it ends, so that a secret that was leased in its last
 * step is also taken out of its first.
 */
export class Reports {
  private readonly writers: Writer[];
  private readonly pickles = new Map<string, ScenarioMessages['pickle']>();
  private readonly testCases = new Map<string, ScenarioMessages['testCase']>();
  private held: { testCaseId: string; envelopes: Envelope[] } | undefined;
  private runStarted: string | undefined;
  private runFinished = false;
  private finishing: Promise<void> | undefined;

  constructor(
    readonly out: string,
    options: IFormatterOptions,
    private readonly redactor: Redactor = runRedactor,
  ) {
    const files = reportFiles(out);
    mkdirSync(out, { recursive: true });
    for (const old of Object.values(files)) rmSync(old, { recursive: true, force: true });
    this.writers = [
      messagesWriter(files.messages),
      junitWriter(files.junit),
      htmlWriter(files.html),
      allureWriter(files.allureResults, options),
    ];
  }

  /** Takes the next message of the run. */
  receive(envelope: Envelope): void {
    if (envelope.pickle !== undefined) this.pickles.set(envelope.pickle.id, this.redactor.value(envelope.pickle));
    if (envelope.testCase !== undefined)
      this.testCases.set(envelope.testCase.id, this.redactor.value(envelope.testCase));
    if (envelope.testRunStarted !== undefined) this.runStarted = envelope.testRunStarted.id ?? '';
    if (envelope.testRunFinished !== undefined) this.runFinished = true;
    if (envelope.testCaseStarted !== undefined) {
      this.held = { testCaseId: envelope.testCaseStarted.testCaseId, envelopes: [] };
    }
    if (this.held === undefined) {
      const clean = this.clean(envelope);
      for (const writer of this.writers) writer.message(clean);
      return;
    }
    this.held.envelopes.push(envelope);
    if (envelope.testCaseFinished !== undefined) this.release();
  }

  /**
   * Writes what is left and closes every report. A run that was cut short (a failing BeforeAll, Ctrl-C twice) is closed as
   * failed, so that its reports can still be read. Safe to call again.
   */
  finish(): Promise<void> {
    this.finishing ??= this.close();
    return this.finishing;
  }

  private async close(): Promise<void> {
    if (this.held !== undefined) this.release();
    if (!this.runFinished && this.runStarted !== undefined) {
      const timestamp = { seconds: Math.floor(Date.now() / 1000), nanos: 0 };
      this.receive({ testRunFinished: { timestamp, success: false, testRunStartedId: this.runStarted } });
    }
    await Promise.all(this.writers.map((writer) => writer.close()));
  }

  private release(): void {
    const { testCaseId, envelopes } = this.held ?? { testCaseId: '', envelopes: [] };
    this.held = undefined;
    const testCase = this.testCases.get(testCaseId);
    const pickle = testCase && this.pickles.get(testCase.pickleId);
    if (testCase === undefined || pickle === undefined) throw new Error(`a scenario without test case ${testCaseId}`);
    const clean = envelopes.map((envelope) => this.clean(envelope));
    const note = clean.find(({ attachment }) => attachment?.mediaType === skipMediaType)?.attachment;
    const scenario = { testCase, pickle, skip: note && skipNote.parse(JSON.parse(note.body)) };
    for (const writer of this.writers) writer.scenario(clean, scenario);
  }

  private clean(envelope: Envelope): Envelope {
    const { attachment } = envelope;
    if (attachment?.contentEncoding === 'BASE64') return { attachment: this.cleanBinary(attachment) };
    return this.redactor.value(envelope);
  }

  /** Text that was attached as bytes is redacted as text; pictures and archives stay as they are. */
  private cleanBinary(attachment: Attachment): Attachment {
    const bytes = Buffer.from(attachment.body, 'base64');
    const text = bytes.toString('utf8');
    if (!Buffer.from(text, 'utf8').equals(bytes)) return attachment;
    const { body: _replaced, ...rest } = attachment;
    return { ...this.redactor.value(rest), body: Buffer.from(this.redactor.text(text)).toString('base64') };
  }
}
