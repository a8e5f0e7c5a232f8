import type { CommandResult } from '../command';

/** Longest output kept of one command, in characters: the end of it says how it went. */
const longestOutput = 4_000;

/** What the commands of a scenario printed, in order. */
export class Transcript {
  private readonly entries: string[] = [];

  add(result: CommandResult): void {
    const output = [result.stdout, result.stderr].filter((text) => text.trim() !== '').join('\n');
    const cut = output.length > longestOutput ? `[${output.length - longestOutput} characters left out]\n` : '';
    this.entries.push(
      `$ ${result.command}\n${cut}${output.slice(-longestOutput)}\n[exit ${result.exitCode} after ${(result.durationMs / 1000).toFixed(2)} s]\n`,
    );
  }

  /** The text to attach; undefined when no command ran. */
  text(): string | undefined {
    return this.entries.length === 0 ? undefined : this.entries.join('\n');
  }
}
