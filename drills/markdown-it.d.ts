/** The part of markdown-it (no types of its own) that reads the runbook. */
declare module 'markdown-it' {
  interface Token {
    type: string;
    tag: string;
    /** Lines [first, after last), from 0; null for a token inside a line. */
    map: [number, number] | null;
    info: string;
    content: string;
  }
  class MarkdownIt {
    constructor(preset: 'commonmark');
    parse(text: string, environment: object): Token[];
  }
  export = MarkdownIt;
}
