import { readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { XMLParser } from 'fast-xml-parser';
import { z } from 'zod';
import { reason } from '../support/failure';
import { readMessages, runOf, titleOf, type Run, type Verdict } from './scenarios';
import { reportFiles } from './writers';

/** What the reconciler found. */
export interface Reconciliation {
  run: Run;
  /** Sentences, each a reason why the run cannot be called green although no scenario may have failed. Empty: they agree. */
  disagreements: string[];
  /** True when something ran, everything that ran passed and every report says so. */
  green: boolean;
}

/** One report's list of scenarios: a key (several scenarios may share it) and what it says of them. */
type Ledger = Map<string, Verdict[]>;

/**
 * Reads every report of a run back from disk and compares them scenario by scenario.
 * @param claimedSuccess what Cucumber said in this process: the exit code the run would have had.
 */
export function reconcile(out: string, claimedSuccess: boolean): Reconciliation {
  const files = reportFiles(out);
  const disagreements: string[] = [];
  const reading = <T>(what: string, empty: T, read: () => T): T => {
    try {
      return read();
    } catch (thrown) {
      disagreements.push(`${what} cannot be read: ${reason(thrown)}`);
      return empty;
    }
  };
  const nothing: Run = { scenarios: [], unfinished: [], runFailures: [], success: undefined };
  const run = reading('messages.ndjson', nothing, () => runOf(readMessages(files.messages)));
  const { scenarios } = run;

  const say = (sentences: readonly string[]): void => void disagreements.push(...sentences);
  say(compareExit(run, claimedSuccess));
  say(hollow(run));
  const byJunit = ledger(scenarios.map((one) => [`${one.feature} › ${one.longName}`, one.verdict]));
  say(
    compare(
      'junit.xml',
      byJunit,
      reading('junit.xml', new Map(), () => junitLedger(files.junit)),
    ),
  );
  const byAllure = ledger(scenarios.map((one) => [`${one.uri}#${one.name}`, one.verdict]));
  say(
    compare(
      'allure-results',
      byAllure,
      reading('allure-results', new Map(), () => allureLedger(files.allureResults)),
    ),
  );
  const inHtml = reading('cucumber.html', [], () => runOf(htmlMessages(files.html)).scenarios);
  say(compare('cucumber.html', byAllure, ledger(inHtml.map((one) => [`${one.uri}#${one.name}`, one.verdict]))));
  const byName = ledger(scenarios.map((one) => [one.name, one.verdict]));
  say(
    compare(
      'allure/index.html',
      byName,
      reading('allure/index.html', new Map(), () => allureReportLedger(files.allure)),
    ),
  );

  const allPassed = scenarios.every(({ verdict }) => verdict !== 'failed') && run.runFailures.length === 0;
  const anyPassed = scenarios.some(({ verdict }) => verdict === 'passed');
  return { run, disagreements, green: claimedSuccess && allPassed && anyPassed && disagreements.length === 0 };
}

/** Cucumber's own word, in this process and in the messages, against what the scenarios came to. */
function compareExit(run: Run, claimedSuccess: boolean): string[] {
  const sentences: string[] = [];
  const failed = run.scenarios.some(({ verdict }) => verdict === 'failed') || run.runFailures.length > 0;
  if (claimedSuccess && failed)
    sentences.push('Cucumber ended with success although a scenario or a hook of the run failed');
  if (run.success !== undefined && run.success !== claimedSuccess) {
    sentences.push(`messages.ndjson says success ${run.success}, the run ended with success ${claimedSuccess}`);
  }
  if (run.success === undefined) sentences.push('messages.ndjson has no end: the run was cut short');
  if (!claimedSuccess && !failed && run.scenarios.length > 0) {
    sentences.push('Cucumber ended with failure although no scenario failed');
  }
  return sentences;
}

/** Greens that prove nothing: no scenario, one that never ended, one without steps, a skip that does not say why. */
function hollow(run: Run): string[] {
  const sentences = run.unfinished.map((name) => `scenario "${name}" was selected but never ended`);
  if (run.scenarios.length === 0) sentences.push('no scenario ran');
  else if (!run.scenarios.some(({ verdict }) => verdict !== 'skipped')) sentences.push('every scenario was skipped');
  for (const scenario of run.scenarios) {
    if (scenario.steps === 0) sentences.push(`${titleOf(scenario)} has no steps`);
    if (scenario.verdict === 'skipped' && scenario.skip === undefined) {
      sentences.push(`${titleOf(scenario)} was skipped without saying why (use world.skip)`);
    }
  }
  return sentences;
}

function ledger(entries: readonly (readonly [string, Verdict])[]): Ledger {
  const result: Ledger = new Map();
  for (const [key, verdict] of entries) result.set(key, [...(result.get(key) ?? []), verdict].sort());
  return result;
}

function compare(report: string, expected: Ledger, seen: Ledger): string[] {
  const sentences: string[] = [];
  for (const [key, verdicts] of expected) {
    const other = seen.get(key);
    if (other === undefined) sentences.push(`${report} lacks "${key}", which ${verdicts.join(', ')}`);
    else if (other.join() !== verdicts.join()) {
      sentences.push(`${report} says ${other.join(', ')} for "${key}", the messages say ${verdicts.join(', ')}`);
    }
  }
  for (const key of seen.keys())
    if (!expected.has(key)) sentences.push(`${report} has "${key}", which the messages lack`);
  return sentences;
}

const testcaseShape = z
  .object({
    '@classname': z.string(),
    '@name': z.string(),
    failure: z.unknown(),
    error: z.unknown(),
    skipped: z.unknown(),
  })
  .partial({ failure: true, error: true, skipped: true });
const junitShape = z.object({
  testsuite: z.object({
    '@tests': z.coerce.number(),
    '@failures': z.coerce.number(),
    '@skipped': z.coerce.number(),
    testcase: z.array(testcaseShape).optional(),
  }),
});

/** JUnit's word for every test case; its totals must agree with its own list. @throws Error when they do not. */
function junitLedger(file: string): Ledger {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    parseAttributeValue: false,
    htmlEntities: true,
    isArray: (name) => name === 'testcase',
  });
  const { testsuite } = junitShape.parse(parser.parse(readFileSync(file, 'utf8')));
  const cases = (testsuite.testcase ?? []).map((one): [string, Verdict] => {
    const failed = 'failure' in one || 'error' in one;
    return [`${one['@classname']} › ${one['@name']}`, failed ? 'failed' : 'skipped' in one ? 'skipped' : 'passed'];
  });
  const count = (verdict: Verdict): number => cases.filter(([, its]) => its === verdict).length;
  if (
    testsuite['@tests'] !== cases.length ||
    testsuite['@failures'] !== count('failed') ||
    testsuite['@skipped'] !== count('skipped')
  ) {
    throw new Error('its totals do not agree with its own list of test cases');
  }
  return ledger(cases);
}

const allureShape = z.object({ fullName: z.string(), status: z.string().optional() });

function allureLedger(folder: string): Ledger {
  const results = readdirSync(folder).filter((name) => name.endsWith('-result.json'));
  return ledger(
    results.map((name) => {
      const { fullName, status } = allureShape.parse(JSON.parse(readFileSync(join(folder, name), 'utf8')));
      return [fullName.slice(fullName.indexOf(':') + 1), allureVerdict(status)];
    }),
  );
}

const allureReportShape = z.object({
  byId: z.record(z.string(), z.object({ name: z.string(), status: z.string() })),
});

/** What the finished Allure report lists: it shows only the last of several results that it takes for retries. */
function allureReportLedger(page: string): Ledger {
  if (statSync(page).size === 0) throw new Error('it is empty');
  const { byId } = allureReportShape.parse(JSON.parse(readFileSync(join(dirname(page), 'test-results.json'), 'utf8')));
  return ledger(Object.values(byId).map(({ name, status }) => [name, allureVerdict(status)]));
}

/** Any word but these two is red; a missing one as well. */
function allureVerdict(status: string | undefined): Verdict {
  return status === 'passed' || status === 'skipped' ? status : 'failed';
}

/** The messages inside cucumber.html. */
function htmlMessages(file: string): ReturnType<typeof readMessages> {
  const html = readFileSync(file, 'utf8');
  const before = 'window.CUCUMBER_MESSAGES = ';
  const begin = html.indexOf(before);
  // The writer escapes every "<" inside of the messages, so the first end of a script is theirs.
  const end = html.indexOf(';\n</script>', begin);
  if (begin === -1 || end === -1) throw new Error('it holds no messages');
  // The escape it uses is JavaScript's; JSON has another for the same.
  return JSON.parse(html.slice(begin + before.length, end).replaceAll('\\x3C', '\\u003C')) as ReturnType<
    typeof readMessages
  >;
}
