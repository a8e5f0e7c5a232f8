import { mkdirSync, rmSync } from 'node:fs';
import type { IFormatterOptions } from '@cucumber/cucumber';
import type { Attachment, Envelope, Pickle, TestCase } from '@cucumber/messages';
import { redactor as runRedactor, type Redactor } from '../support/evidence/redaction';
import { skipMediaType, skipNote } from '../support/evidence/skip';
import { allureWriter, htmlWriter, junitWriter, messagesWriter, reportFiles, type Writer } from './writers';

type Told = { kind: 'message'; envelope: Envelope } | { kind: 'scenario'; testCaseId: string; envelopes: Envelope[] };

/**
 * Where Cucumber's messages become reports. All writers stand behind the one redaction here: nothing else of the suite
 * writes what a scenario said. While the run goes on only messages.ndjson grows, a scenario at a time; the reports are made
 * when it ends, from messages redacted once more, so that a secret leased late is also taken out of what was said early.
 */
export class Reports {
  private readonly told: Told[] = [];
  private readonly stream: Writer;
  private scenario: { testCaseId: string; envelopes: Envelope[] } | undefined;
  private runStarted: string | undefined;
  private runFinished = false;
  private finishing: Promise<void> | undefined;

  constructor(
    readonly out: string,
    private readonly options: IFormatterOptions,
    private readonly redactor: Redactor = runRedactor,
  ) {
    const files = reportFiles(out);
    mkdirSync(out, { recursive: true });
    for (const old of Object.values(files)) rmSync(old, { recursive: true, force: true });
    this.stream = messagesWriter(files.messages);
  }

  /** Takes the next message of the run. */
  receive(envelope: Envelope): void {
    if (envelope.testRunStarted !== undefined) this.runStarted = envelope.testRunStarted.id ?? '';
    if (envelope.testRunFinished !== undefined) this.runFinished = true;
    if (envelope.testCaseStarted !== undefined) {
      this.scenario = { testCaseId: envelope.testCaseStarted.testCaseId, envelopes: [] };
    }
    if (this.scenario === undefined) {
      this.keep({ kind: 'message', envelope });
      return;
    }
    this.scenario.envelopes.push(envelope);
    if (envelope.testCaseFinished !== undefined) this.keepScenario();
  }

  /**
   * Makes the reports. A run that was cut short (a failing BeforeAll, Ctrl-C twice) is closed as failed, so that its reports
   * can still be read. Safe to call again.
   */
  finish(): Promise<void> {
    this.finishing ??= this.makeReports();
    return this.finishing;
  }

  private async makeReports(): Promise<void> {
    this.keepScenario();
    if (!this.runFinished && this.runStarted !== undefined) {
      const timestamp = { seconds: Math.floor(Date.now() / 1000), nanos: 0 };
      this.receive({ testRunFinished: { timestamp, success: false, testRunStartedId: this.runStarted } });
    }
    const files = reportFiles(this.out);
    const writers = [
      messagesWriter(files.messages),
      junitWriter(files.junit),
      htmlWriter(files.html),
      allureWriter(files.allureResults, this.options),
    ];
    const parts = { pickles: new Map<string, Pickle>(), testCases: new Map<string, TestCase>() };
    for (const said of this.told.map((one) => this.clean(one))) tell(writers, said, parts);
    await Promise.all(writers.map((writer) => writer.close()));
  }

  private keepScenario(): void {
    if (this.scenario !== undefined) this.keep({ kind: 'scenario', ...this.scenario });
    this.scenario = undefined;
  }

  private keep(said: Told): void {
    const clean = this.clean(said);
    this.told.push(clean);
    for (const envelope of clean.kind === 'message' ? [clean.envelope] : clean.envelopes) this.stream.message(envelope);
  }

  private clean(said: Told): Told {
    if (said.kind === 'message') return { kind: 'message', envelope: cleanEnvelope(said.envelope, this.redactor) };
    return { ...said, envelopes: said.envelopes.map((envelope) => cleanEnvelope(envelope, this.redactor)) };
  }
}

function tell(
  writers: readonly Writer[],
  said: Told,
  { pickles, testCases }: { pickles: Map<string, Pickle>; testCases: Map<string, TestCase> },
): void {
  if (said.kind === 'message') {
    const { pickle, testCase } = said.envelope;
    if (pickle !== undefined) pickles.set(pickle.id, pickle);
    if (testCase !== undefined) testCases.set(testCase.id, testCase);
    for (const writer of writers) writer.message(said.envelope);
    return;
  }
  const testCase = testCases.get(said.testCaseId);
  const pickle = testCase && pickles.get(testCase.pickleId);
  if (testCase === undefined || pickle === undefined)
    throw new Error(`a scenario without test case ${said.testCaseId}`);
  const note = said.envelopes.find(({ attachment }) => attachment?.mediaType === skipMediaType)?.attachment;
  const scenario = { testCase, pickle, skip: note && skipNote.parse(JSON.parse(note.body)) };
  for (const writer of writers) writer.scenario(said.envelopes, scenario);
}

function cleanEnvelope(envelope: Envelope, redactor: Redactor): Envelope {
  const { attachment } = envelope;
  if (attachment?.contentEncoding === 'BASE64') return { attachment: cleanBytes(attachment, redactor) };
  return redactor.value(envelope);
}

/** Text that was attached as bytes is redacted as text; pictures and archives stay as they are. */
function cleanBytes(attachment: Attachment, redactor: Redactor): Attachment {
  const bytes = Buffer.from(attachment.body, 'base64');
  const text = bytes.toString('utf8');
  const isText = Buffer.from(text, 'utf8').equals(bytes);
  const body = isText ? Buffer.from(redactor.text(text)).toString('base64') : attachment.body;
  return { ...redactor.value({ ...attachment, body: '' }), body };
}
