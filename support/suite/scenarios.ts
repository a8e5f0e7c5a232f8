import { runCucumber, type IRunConfiguration } from '@cucumber/cucumber/api';
import { currentReports } from '../../reports/formatter';
import { redactor } from '../evidence/redaction';
import { reason } from '../failure';
import { projectRoot } from '../paths';

/**
 * Runs the scenarios in this process.
 * @returns Cucumber's own word on whether all is well; never an excuse to skip the reconciler. The reports are written also
 * when a hook of the run threw, which ends Cucumber before it closes its formatters.
 */
export async function runScenarios(configuration: IRunConfiguration): Promise<boolean> {
  try {
    const { success } = await runCucumber(configuration, { cwd: projectRoot });
    return success;
  } catch (thrown) {
    const cause = thrown instanceof Error && thrown.cause !== undefined ? `: ${reason(thrown.cause)}` : '';
    console.error(redactor.text(`The run ended early. ${reason(thrown)}${cause}`));
    return false;
  } finally {
    await currentReports()?.finish();
  }
}
