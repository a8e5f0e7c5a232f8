import { Formatter, type IFormatterOptions } from '@cucumber/cucumber';
import type { Envelope } from '@cucumber/messages';
import { reportsOut } from '../support/paths';
import { ConsoleReport } from './console';
import { Reports } from './reports';

let current: Reports | undefined;

/** The reports of the run of this process; undefined before Cucumber made its formatters. */
export function currentReports(): Reports | undefined {
  return current;
}

/** The suite's only formatter: the console's lines, and all report files behind one redaction. */
export default class SuiteFormatter extends Formatter {
  private readonly reports: Reports;

  constructor(options: IFormatterOptions) {
    super(options);
    this.reports = new Reports(reportsOut, options);
    current = this.reports;
    const progress = new ConsoleReport(process.stdout);
    options.eventBroadcaster.on('envelope', (envelope: Envelope) => {
      this.reports.receive(envelope);
      progress.receive(envelope);
    });
  }

  override async finished(): Promise<void> {
    await this.reports.finish();
    await super.finished();
  }
}
