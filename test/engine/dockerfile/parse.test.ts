import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseDockerfile, type Statement } from '../../../src/engine/dockerfile/parse.ts'

/** "KEYWORD [flags] args @first-last". */
function shown({ keyword, flags, args, pairs, json, trigger, lines, heredocs }: Statement): string {
  const behind = trigger ? `${trigger.keyword} ${JSON.stringify(trigger.args)}` : JSON.stringify(args)
  const words =
    pairs.length > 0 ? pairs.map(({ key, value, legacy }) => `${key}${legacy ? ' ' : '='}${value}`) : [behind]
  const files = heredocs.map(
    ({ name, content, expand, chomp }) => `<<${chomp ? '-' : ''}${name}${expand ? '' : "'"} ${JSON.stringify(content)}`,
  )
  return [keyword, ...flags, ...words, ...(json ? ['json'] : []), ...files, `@${lines.first}-${lines.last}`].join(' ')
}

describe('parseDockerfile()', () => {
  const cases: Readonly<Record<string, readonly [text: string, statements: readonly string[]]>> = {
    'keywords as they are written': ['from a\nRun b', ['from ["a"] @1-1', 'Run ["b"] @2-2']],
    'a file without a last line end, behind a byte order mark': ['\uFEFFFROM a', ['FROM ["a"] @1-1']],
    'lines that end with carriage returns': ['FROM a\r\nRUN b \\\r\n c\r\n', ['FROM ["a"] @1-1', 'RUN ["b  c"] @2-3']],
    'tabs and indentation': ['\t FROM\ta\tAS b', ['FROM ["a","AS","b"] @1-1']],
    'continued lines, with comments and empty lines between': [
      'RUN a \\\n# no\n\n  # nor this\n b \\ \n c\nRUN d',
      ['RUN ["a  b  c"] @1-6', 'RUN ["d"] @7-7'],
    ],
    'an escape that is escaped at the end of a line': [
      'RUN a\\\\\nRUN b',
      ['RUN ["a\\\\\\\\"] @1-1', 'RUN ["b"] @2-2'],
    ],
    'a continuation that the file ends in': ['FROM a\nRUN b \\', ['FROM ["a"] @1-1', 'RUN ["b"] @2-2']],
    'comments that are no comments': ['RUN a # b\nLABEL a=#b', ['RUN ["a # b"] @1-1', 'LABEL a=#b @2-2']],
    'the escape of a directive': ['# escape=`\nRUN a `\n b\\', ['RUN ["a  b\\\\"] @2-3']],
    'no directive behind a comment': ['# x\n# escape=`\nRUN a \\\nb', ['RUN ["a b"] @3-4']],
    'no directive behind an empty line': ['\n# escape=`\nRUN a \\\nb', ['RUN ["a b"] @3-4']],
    'flags up to a lone --': ['COPY --a=1 --b="x y" --c=\\" -- --d e', ['COPY --a=1 --b=x y --c=" ["--d","e"] @1-1']],
    'lists in JSON': ['CMD [ "a" , "b\\u0020c" ]', ['CMD ["a","b c"] json @1-1']],
    'commands that look like lists': [
      'CMD [ -f x ] && y\nCMD ["a",]\nCMD ["a"] b',
      ['CMD ["[ -f x ] && y"] @1-1', 'CMD ["[\\"a\\",]"] @2-2', 'CMD ["[\\"a\\"] b"] @3-3'],
    ],
    'words of COPY split at every blank, escaped or not': [
      'COPY a\\ b "c d"  e',
      ['COPY ["a\\\\","b","\\"c","d\\"","e"] @1-1'],
    ],
    'pairs with quotes kept': ['ENV A="x y" B=c\\ d E=', ['ENV A="x y" B=c\\ d E= @1-1']],
    'a pair of the old form': ['ENV A b  c=d', ['ENV A b  c=d @1-1']],
    'arguments of ARG': ['ARG A B="x y" C=', ['ARG ["A","B=\\"x y\\"","C="] @1-1']],
    'what stands behind ONBUILD': ['ONBUILD COPY a b', ['ONBUILD COPY ["a","b"] @1-1']],
    'heredocs, one after the other': [
      'COPY <<a <<-"b" /x/\n$1\n\ta\na\n\t\t2\n\tb\nRUN c',
      ['COPY ["<<a","<<-\\"b\\"","/x/"] <<a "$1\\n\\ta\\n" <<-b\' "\\t\\t2\\n" @1-6', 'RUN ["c"] @7-7'],
    ],
    'a heredoc whose name stands apart': ['RUN cat << EOF\nx\nEOF', ['RUN ["cat << EOF"] <<EOF "x\\n" @1-3']],
    'a heredoc behind ONBUILD': ['ONBUILD RUN <<E\nx\nE', ['ONBUILD RUN ["<<E"] <<E "x\\n" @1-3']],
    'no heredoc in a list, in quotes, or of other instructions': [
      'RUN ["<<E"]\nRUN echo "<<E"\nCMD <<E',
      ['RUN ["<<E"] json @1-1', 'RUN ["echo \\"<<E\\""] @2-2', 'CMD ["<<E"] @3-3'],
    ],
    'a here string, which is none': ['RUN cat <<< x', ['RUN ["cat <<< x"] @1-1']],
    'instructions that are not known': ['FOO a b', ['FOO [] @1-1']],
  }
  for (const [title, [text, statements]] of Object.entries(cases)) {
    test(`reads ${title}`, () => assert.deepEqual(parseDockerfile(text).statements.map(shown), statements))
  }

  test('tells continued lines that are empty, at the last line', () => {
    assert.deepEqual(parseDockerfile('RUN a \\\n\n b').emptyContinuations, [{ first: 3, last: 3 }])
  })

  test('keeps the comments right above, until one that is empty', () => {
    const { statements } = parseDockerfile('# one\n#\n# two\n\n# three\nFROM a\nRUN b')
    assert.deepEqual(
      statements.map(({ comments }) => comments),
      [['two', 'three'], []],
    )
  })

  const wrong: ReadonlyArray<readonly [text: string, message: string, first: number, last: number]> = [
    ['', 'file with no instructions', 0, 0],
    ['# a\n\n', 'file with no instructions', 2, 2],
    ['FROM a\nRUN <<E\nx', 'unterminated heredoc', 2, 3],
    ['FROM a\nENV \\\n A', 'ENV must have two arguments', 2, 3],
    ['LABEL a=b c', `Syntax error - can't find = in "c". Must be of the form: name=value`, 1, 1],
    ['CMD [1]', 'when using JSON array syntax, arrays must be comprised of strings only', 1, 1],
    ['# escape=x\nFROM a', "invalid escape token 'x' does not match ` or \\", 1, 1],
    ['# escape=`\n# escape=`\nFROM a', 'only one escape parser directive can be used', 2, 2],
    [`RUN ${'x'.repeat(65_536)}`, 'dockerfile line greater than max allowed size of 65535', 0, 0],
  ]
  for (const [text, message, first, last] of wrong) {
    test(`refuses ${JSON.stringify(text.slice(0, 40))}`, () => {
      assert.throws(() => parseDockerfile(text), { kind: 'invalid', message, lines: { first, last } })
    })
  }
})
