import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { reconcile } from '../../reports/strict';
import { reportFiles } from '../../reports/writers';
import { feature, suite, type SuiteRun } from './run';

/** A change to one report after a green run, and what the reconciler must say of it. */
interface Tampering {
  what: string;
  change(out: string): void;
  says: RegExp;
}

function edit(file: string, from: string | RegExp, to: string): void {
  const before = readFileSync(file, 'utf8');
  const after = before.replace(from, to);
  assert.notEqual(after, before, `nothing to change in ${file}`);
  writeFileSync(file, after);
}

function firstResult(out: string): string {
  const folder = reportFiles(out).allureResults;
  const name = readdirSync(folder).find((file) => file.endsWith('-result.json'));
  assert.ok(name);
  return join(folder, name);
}

const tamperings: readonly Tampering[] = [
  {
    what: 'an Allure result removed',
    change: (out) => rmSync(firstResult(out)),
    says: /allure-results (lacks|says passed for)/,
  },
  {
    what: 'an Allure result turned red',
    change: (out) => edit(firstResult(out), '"status":"passed"', '"status":"broken"'),
    says: /allure-results says .*failed/,
  },
  {
    what: 'an Allure result without a status',
    change: (out) => edit(firstResult(out), /^(\{.*?)"status":"passed",/, '$1'),
    says: /allure-results says .*failed/,
  },
  {
    what: 'a test case removed from JUnit, totals adjusted',
    change: (out) => {
      edit(reportFiles(out).junit, /<testcase[\s\S]*?<\/testcase>/, '');
      edit(reportFiles(out).junit, 'tests="3"', 'tests="2"');
    },
    says: /junit\.xml lacks "Green › A step passes"/,
  },
  {
    what: 'a total of JUnit changed',
    change: (out) => edit(reportFiles(out).junit, 'failures="0"', 'failures="1"'),
    says: /junit\.xml cannot be read: its totals do not agree/,
  },
  {
    what: 'a failure added to JUnit',
    change: (out) => {
      edit(reportFiles(out).junit, '<system-out>', '<failure/><system-out>');
      edit(reportFiles(out).junit, 'failures="0"', 'failures="1"');
    },
    says: /junit\.xml says failed for "Green › A step passes", the messages say passed/,
  },
  {
    what: 'cucumber.html cut off',
    change: (out) => edit(reportFiles(out).html, ';\n</script>', ''),
    says: /cucumber\.html/,
  },
  {
    what: 'a step turned red in the messages',
    change: (out) => edit(reportFiles(out).messages, '"status":"PASSED"', '"status":"FAILED"'),
    says: /Cucumber ended with success although a scenario/,
  },
  {
    what: 'the end of the messages lost',
    change: (out) => edit(reportFiles(out).messages, /\{"testRunFinished".*\n/, ''),
    says: /messages\.ndjson has no end/,
  },
  {
    what: 'the end of a scenario lost',
    change: (out) => edit(reportFiles(out).messages, /\{"testCaseFinished".*\n/, ''),
    says: /was selected but never ended/,
  },
  {
    what: 'the messages emptied',
    change: (out) => writeFileSync(reportFiles(out).messages, ''),
    says: /no scenario ran/,
  },
  {
    what: 'the Allure page emptied',
    change: (out) => writeFileSync(reportFiles(out).allure, ''),
    says: /allure\/index\.html cannot be read/,
  },
];

describe('reports that do not agree', () => {
  let green: SuiteRun;
  const copies = mkdtempSync(join(tmpdir(), 'reconcile-'));
  before(async () => {
    green = await suite(feature('green'));
    assert.equal(green.exitCode, 0, green.output);
  });
  after(() => rmSync(copies, { recursive: true, force: true }));

  for (const [index, { what, change, says }] of tamperings.entries()) {
    test(`${what} turns the run red, with the report and the scenario named`, () => {
      const out = join(copies, String(index));
      cpSync(green.out, out, { recursive: true });
      change(out);
      const { green: stillGreen, disagreements } = reconcile(out, true);
      assert.equal(stillGreen, false);
      assert.match(disagreements.join('\n'), says);
    });
  }

  test('an exit code that the messages do not bear out turns the run red', () => {
    const { green: stillGreen, disagreements } = reconcile(green.out, false);
    assert.equal(stillGreen, false);
    assert.match(disagreements.join('\n'), /messages\.ndjson says success true, the run ended with success false/);
  });
});
