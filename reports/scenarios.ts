import { readFileSync } from 'node:fs';
import {
  TestStepResultStatus as Status,
  TimeConversion,
  type Envelope,
  type TestCaseStarted,
} from '@cucumber/messages';
import {
  namingStrategy,
  NamingStrategyExampleName,
  NamingStrategyFeatureName,
  NamingStrategyLength,
  Query,
} from '@cucumber/query';
import { skipMediaType, skipNote, type SkipNote } from '../support/evidence/skip';
import { OperatorError, reason } from '../support/failure';

/** What a scenario came to. Undefined, ambiguous and pending steps and failing hooks are failures. */
export type Verdict = 'passed' | 'failed' | 'skipped';

/** Where a scenario failed. */
export interface FailurePoint {
  /** The step's or the hook's text. */
  step: string;
  kind: 'step' | 'hook';
  status: Status;
  message: string;
}

/** One scenario of a run as the messages tell it. */
export interface Scenario {
  uri: string;
  feature: string;
  name: string;
  /** The name under which JUnit lists it: outlines carry their example's number. */
  longName: string;
  line: number;
  verdict: Verdict;
  seconds: number;
  /** How many of its own steps were run or would have been, hooks not counted. */
  steps: number;
  failure?: FailurePoint;
  skip?: SkipNote;
}

/** A run as its messages tell it. */
export interface Run {
  scenarios: Scenario[];
  /** Scenarios that were selected but never ended, by name. */
  unfinished: string[];
  /** Failures outside of scenarios: BeforeAll and AfterAll hooks. */
  runFailures: string[];
  /** What Cucumber itself said at the end; undefined when it never came to an end. */
  success: boolean | undefined;
}

/** How JUnit names test cases: the same in the writer and in the reconciler. */
export const junitNaming = namingStrategy(
  NamingStrategyLength.LONG,
  NamingStrategyFeatureName.EXCLUDE,
  NamingStrategyExampleName.NUMBER_AND_PICKLE_IF_PARAMETERIZED,
);

/** Reads a messages file. @throws OperatorError when it is missing or not newline-delimited JSON. */
export function readMessages(file: string): Envelope[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Envelope);
  } catch (thrown) {
    throw new OperatorError({
      attempted: 'read the messages of the run',
      where: file,
      seen: reason(thrown),
      next: 'run the suite again; if it happens again, the disk is full or the file was changed.',
      cause: thrown,
    });
  }
}

/** What the messages say of the run. */
export function runOf(envelopes: readonly Envelope[]): Run {
  const query = new Query();
  const skips = new Map<string, SkipNote>();
  for (const envelope of envelopes) {
    query.update(envelope);
    const { attachment } = envelope;
    if (attachment?.mediaType === skipMediaType && attachment.testCaseStartedId !== undefined) {
      skips.set(attachment.testCaseStartedId, skipNote.parse(JSON.parse(attachment.body)));
    }
  }
  const started = query.findAllTestCaseStarted();
  const ended = started.filter((one) => query.findTestCaseFinishedBy(one) !== undefined);
  const startedIds = new Set(ended.map((one) => one.testCaseId));
  const pickleNames = new Map(query.findAllPickles().map((pickle) => [pickle.id, pickle.name]));
  const planned = envelopes.flatMap(({ testCase }) => (testCase === undefined ? [] : [testCase]));
  return {
    scenarios: ended.map((one) => scenarioOf(query, one, skips.get(one.id))),
    unfinished: planned
      .filter((testCase) => !startedIds.has(testCase.id))
      .map((testCase) => pickleNames.get(testCase.pickleId) ?? testCase.id),
    runFailures: query
      .findAllTestRunHookFinished()
      .filter(({ result }) => result.status !== Status.PASSED)
      .map(
        (finished) => `${query.findHookBy(finished)?.name ?? 'a hook of the run'}: ${finished.result.message ?? ''}`,
      ),
    success: query.findTestRunFinished()?.success,
  };
}

function scenarioOf(query: Query, started: TestCaseStarted, skip: SkipNote | undefined): Scenario {
  const pickle = query.findPickleBy(started);
  const lineage = pickle && query.findLineageBy(pickle);
  if (pickle === undefined || lineage === undefined) throw new Error(`messages without the pickle of ${started.id}`);
  const duration = query.findTestCaseDurationBy(started);
  const results = query.findTestStepFinishedAndTestStepBy(started);
  const failed = results.find(([{ testStepResult }]) => isFailure(testStepResult.status));
  const skipped = results.some(([{ testStepResult }]) => testStepResult.status === Status.SKIPPED);
  const failure = failed && failurePoint(query, ...failed);
  return {
    uri: pickle.uri,
    feature: lineage.feature?.name ?? pickle.uri,
    name: pickle.name,
    longName: junitNaming.reduce(lineage, pickle),
    line: query.findLocationOf(pickle)?.line ?? 0,
    verdict: failure ? 'failed' : skipped ? 'skipped' : 'passed',
    seconds: duration ? TimeConversion.durationToMilliseconds(duration) / 1000 : 0,
    steps: pickle.steps.length,
    ...(failure === undefined ? {} : { failure }),
    ...(skip === undefined ? {} : { skip }),
  };
}

type Result = ReturnType<Query['findTestStepFinishedAndTestStepBy']>[number];

function failurePoint(query: Query, finished: Result[0], step: Result[1]): FailurePoint {
  const { status, message } = finished.testStepResult;
  const text = query.findPickleStepBy(step)?.text;
  return {
    step: text ?? query.findHookBy(step)?.name ?? 'a hook without a name',
    kind: text === undefined ? 'hook' : 'step',
    status,
    message: message ?? '',
  };
}

/** Whether a result makes its scenario red. */
export function isFailure(status: Status): boolean {
  return status !== Status.PASSED && status !== Status.SKIPPED;
}

/** A name for a scenario that is unique in the project, for messages and for `--name`-less reruns: path:line and title. */
export function titleOf({ uri, line, longName }: Scenario): string {
  return `${uri}:${line} ${longName}`;
}
