/**
 * Splits a command line into words as a POSIX shell would, for commands that run without one. What only a shell could
 * do is found and named, instead of being handed to the program as strange arguments.
 *
 * One rule on every platform, because the file is shared between them: a backslash escapes, on Windows too. A path
 * is written with `/` there, or in single quotes; a backslash that escapes nothing sensible is warned about.
 */

export interface WordProblem {
  readonly severity: 'error' | 'warning';
  /** `shell`: a shell would have understood it; `quote`: the text itself is broken. */
  readonly kind: 'quote' | 'shell' | 'backslash' | 'empty';
  /** Where in the text, in UTF-16 units. */
  readonly index: number;
  readonly length: number;
  readonly message: string;
}

export interface SplitResult {
  /** Usable when no problem is an error. */
  readonly words: readonly string[];
  readonly problems: readonly WordProblem[];
}

export function splitWords(text: string): SplitResult {
  const splitter = new Splitter(text);
  splitter.run();
  return { words: splitter.words, problems: splitter.problems };
}

/** The text that `splitWords` reads back as exactly these words. */
export function joinWords(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}

function quoteWord(word: string): string {
  if (/^[A-Za-z0-9_@%+:,./-][A-Za-z0-9_@%+:,./=-]*$/.test(word) && !/^[A-Za-z_]\w*=/.test(word)) return word;
  if (/^[\w@%+:,./=-]*\$\{port\}[\w@%+:,./=-]*$/.test(word) && !/^\w+=/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

const OPERATOR = /^(?:\|\||&&|;;|>>|<<|>&|<&|&>|[|&;<>()])/;
/** Inside double quotes a backslash escapes only these; before anything else it stands for itself. */
const ESCAPED_IN_DOUBLE_QUOTES = '$`"\\\n';

class Splitter {
  readonly words: string[] = [];
  readonly problems: WordProblem[] = [];
  readonly #text: string;
  #at = 0;
  #word = '';
  /** A word may be empty (`''`), so its text does not tell whether there is one. */
  #wordStart: number | null = null;
  #wordIsPlain = true;

  constructor(text: string) {
    this.#text = text;
  }

  run(): void {
    // The line break that ends a YAML block scalar is not a second command.
    const end = this.#text.trimEnd().length;
    while (this.#at < end) this.#step(end);
    this.#finishWord();
    if (this.words.length === 0) {
      this.#report('error', 'empty', 0, this.#text.length, 'expected a command, found an empty text');
    } else if (this.words[0] === '') {
      this.#report('error', 'empty', 0, 2, 'expected a program first, found an empty word');
    }
  }

  #step(end: number): void {
    const character = this.#text[this.#at] ?? '';
    if (character === '\n' || character === '\r') {
      this.#finishWord();
      if (this.words.length > 0) this.#reportShell('error', 1, 'a line break', 'starts a second command');
      this.#at += /^\s+/.exec(this.#text.slice(this.#at))?.[0].length ?? 1;
    } else if (/\s/.test(character)) {
      this.#finishWord();
      this.#at += 1;
    } else if (character === "'") this.#singleQuoted();
    else if (character === '"') this.#doubleQuoted();
    else if (character === '\\') this.#backslash(end);
    else if (!this.#shellSyntax(character)) this.#take(character);
  }

  #take(character: string): void {
    this.#wordStart ??= this.#at;
    this.#word += character;
    this.#at += 1;
  }

  #finishWord(): void {
    if (this.#wordStart === null) return;
    const assignment = this.words.length === 0 && this.#wordIsPlain && /^[A-Za-z_]\w*=/.exec(this.#word);
    if (assignment) {
      this.#report(
        'error',
        'shell',
        this.#wordStart,
        this.#at - this.#wordStart,
        `\`${assignment[0]}...\` before a command sets a variable only in a shell: put it under \`env\``,
      );
    }
    this.words.push(this.#word);
    this.#word = '';
    this.#wordStart = null;
    this.#wordIsPlain = true;
  }

  #singleQuoted(): void {
    this.#wordStart ??= this.#at;
    this.#wordIsPlain = false;
    const close = this.#text.indexOf("'", this.#at + 1);
    if (close === -1) {
      this.#unterminated("'");
      return;
    }
    this.#word += this.#text.slice(this.#at + 1, close);
    this.#at = close + 1;
  }

  #doubleQuoted(): void {
    const open = this.#at;
    this.#wordStart ??= open;
    this.#wordIsPlain = false;
    this.#at += 1;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) {
        this.#at = open;
        this.#unterminated('"');
        return;
      }
      if (character === '"') {
        this.#at += 1;
        return;
      }
      const next = this.#text[this.#at + 1];
      if (character === '\\' && next !== undefined && ESCAPED_IN_DOUBLE_QUOTES.includes(next)) {
        if (next !== '\n') this.#word += next;
        this.#at += 2;
      } else if (!((character === '$' || character === '`') && this.#expansion())) {
        this.#take(character);
      }
    }
  }

  #unterminated(quote: string): void {
    this.#report('error', 'quote', this.#at, 1, `the quote ${quote} is never closed`);
    this.#at = this.#text.length;
  }

  #backslash(end: number): void {
    const next = this.#text[this.#at + 1];
    if (next === undefined || this.#at + 1 >= end) {
      this.#report('error', 'quote', this.#at, 1, 'the backslash at the end escapes nothing');
      this.#at = this.#text.length;
      return;
    }
    if (next === '\n') {
      this.#at += 2;
      return;
    }
    if (/[A-Za-z0-9_.]/.test(next)) {
      const message = `a backslash escapes the next character, so this becomes \`${next}\`: write paths with \`/\`, or in single quotes`;
      this.#report('warning', 'backslash', this.#at, 2, message);
    }
    this.#wordStart ??= this.#at;
    this.#wordIsPlain = false;
    this.#word += next;
    this.#at += 2;
  }

  /** Unquoted syntax of a shell. `true` when it was consumed, `false` when the character is an ordinary one. */
  #shellSyntax(character: string): boolean {
    const operator = OPERATOR.exec(this.#text.slice(this.#at, this.#at + 2))?.[0];
    if (operator !== undefined) {
      this.#finishWord();
      this.#reportShell('error', operator.length, `\`${operator}\``, 'is an operator of a shell');
      this.#at += operator.length;
      return true;
    }
    if (character === '$' || character === '`') return this.#expansion();
    if (character === '*' || (character === '[' && this.#text.indexOf(']', this.#at) > this.#at)) {
      this.#reportShell('warning', 1, `\`${character}\``, 'is a pattern that only a shell expands');
    } else if (character === '~' && this.#wordStart === null && /^~(?:[\w.-]*)(?:\/|\s|$)/.test(this.#rest())) {
      this.#reportShell('warning', 1, '`~`', 'is expanded only by a shell');
    }
    return false;
  }

  /** `$(...)`, backticks and variables; `${port}` is the one placeholder that Coppice itself fills in. */
  #expansion(): boolean {
    const rest = this.#rest();
    const command = /^(?:\$\(|`)/.exec(rest)?.[0];
    if (command !== undefined) {
      this.#reportShell('error', command.length, `\`${command}\``, 'runs a command only in a shell');
      for (const character of command) this.#take(character);
      return true;
    }
    if (rest.startsWith('${port}')) {
      for (const character of '${port}') this.#take(character);
      return true;
    }
    const variable = /^\$(?:\{[^}\s]*\}|\w+)/.exec(rest)?.[0];
    if (variable === undefined) return false;
    this.#reportShell('warning', variable.length, `\`${variable}\``, 'is a variable that only a shell fills in');
    for (const character of variable) this.#take(character);
    return true;
  }

  #rest(): string {
    return this.#text.slice(this.#at, this.#at + 200);
  }

  #reportShell(severity: 'error' | 'warning', length: number, what: string, why: string): void {
    const hint =
      severity === 'error' ? 'quote it, or run the command in a shell' : 'without one it is passed on as it is';
    this.#report(severity, 'shell', this.#at, length, `${what} ${why}: ${hint}`);
  }

  #report(
    severity: WordProblem['severity'],
    kind: WordProblem['kind'],
    index: number,
    length: number,
    message: string,
  ): void {
    this.problems.push({ severity, kind, index, length, message });
  }
}
