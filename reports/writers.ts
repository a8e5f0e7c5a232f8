import { EventEmitter } from 'node:events';
import { appendFileSync, createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { IFormatterOptions } from '@cucumber/cucumber';
import { CucumberHtmlStream } from '@cucumber/html-formatter';
import { JUnitXmlPrinter } from '@cucumber/junit-xml-formatter';
import type { Envelope, Hook } from '@cucumber/messages';
import AllureCucumberReporter from 'allure-cucumberjs/reporter';
import { allureView } from './allure-view';
import { explained, type ScenarioMessages } from './explain';
import { junitNaming } from './scenarios';

/** Writes one report. Everything it is given is redacted already. */
export interface Writer {
  /** A message outside of scenarios. */
  message(envelope: Envelope): void;
  /** All messages of one finished scenario. */
  scenario(envelopes: readonly Envelope[], scenario: ScenarioMessages): void;
  close(): Promise<void>;
}

/** messages.ndjson: the run as Cucumber told it; every other report can be made from it. */
export function messagesWriter(file: string): Writer {
  writeFileSync(file, '');
  const append = (envelopes: readonly Envelope[]): void =>
    appendFileSync(file, envelopes.map((envelope) => `${JSON.stringify(envelope)}\n`).join(''));
  return {
    message: (envelope) => append([envelope]),
    scenario: append,
    close: () => Promise.resolve(),
  };
}

/** junit.xml, with words for undefined, ambiguous, pending and skipped. */
export function junitWriter(file: string): Writer {
  let xml = '';
  const printer = new JUnitXmlPrinter(
    { suiteName: 'sandbox-acceptance', testNamingStrategy: junitNaming },
    (text) => (xml += text.toString()),
  );
  return {
    message: (envelope) => printer.update(envelope),
    scenario: (envelopes, scenario) => {
      for (const envelope of explained(envelopes, scenario)) printer.update(envelope);
    },
    close: () => {
      writeFileSync(file, xml);
      return Promise.resolve();
    },
  };
}

/** cucumber.html: one file that opens from disk. Attached HTML pages are left out: it would show their source. */
export function htmlWriter(file: string): Writer {
  const stream = new CucumberHtmlStream();
  const written = finished(stream.pipe(createWriteStream(file)));
  return {
    message: (envelope) => void stream.write(envelope),
    scenario: (envelopes) => {
      for (const envelope of envelopes) if (envelope.attachment?.mediaType !== 'text/html') stream.write(envelope);
    },
    close: async () => {
      stream.end();
      await written;
    },
  };
}

/** allure-results/, by the stock reporter behind `allureView`. */
export function allureWriter(folder: string, options: IFormatterOptions): Writer {
  mkdirSync(folder, { recursive: true });
  const eventBroadcaster = new EventEmitter();
  const hooks = new Map<string, Hook>();
  new AllureCucumberReporter({
    ...options,
    eventBroadcaster,
    parsedArgvOptions: { resultsDir: folder } as IFormatterOptions['parsedArgvOptions'],
    supportCodeLibrary: {
      ...options.supportCodeLibrary,
      // It would write the errors of these hooks itself, past the redaction, and replace the World.
      beforeTestRunHookDefinitions: [],
      afterTestRunHookDefinitions: [],
    },
  });
  const emit = (envelope: Envelope): void => void eventBroadcaster.emit('envelope', envelope);
  return {
    message: (envelope) => {
      if (envelope.hook !== undefined) hooks.set(envelope.hook.id, envelope.hook);
      emit(envelope);
    },
    scenario: (envelopes, scenario) => allureView(envelopes, scenario, hooks).forEach(emit),
    close: () => Promise.resolve(),
  };
}

/** The report files under an output folder. */
export function reportFiles(
  out: string,
): Record<'messages' | 'junit' | 'html' | 'allureResults' | 'allure' | 'environment' | 'summary', string> {
  return {
    messages: join(out, 'messages.ndjson'),
    junit: join(out, 'junit.xml'),
    html: join(out, 'cucumber.html'),
    allureResults: join(out, 'allure-results'),
    allure: join(out, 'allure', 'index.html'),
    environment: join(out, 'environment.json'),
    summary: join(out, 'summary.md'),
  };
}
