import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LogFilter, type LogWanted } from '../../src/view/log-filter.ts'

function wanted(filter: LogWanted, texts: readonly string[]): readonly string[] {
  const lines = new LogFilter(filter)
  return texts.filter(text => lines.take({ container: 'web-1', stream: 'stdout', text }) !== undefined)
}

describe('LogFilter', () => {
  test('takes lines that match a regular expression, colours aside', () => {
    assert.deepEqual(wanted({ grep: '^GET .* 5\\d\\d$' }, ['GET / 200', 'GET /a 503', 'x GET /a 503']), ['GET /a 503'])
    assert.deepEqual(wanted({ grep: '(?i:error)' }, ['an \x1b[31mERR\x1b[0mOR', 'fine']), ['an \x1b[31mERR\x1b[0mOR'])
    assert.deepEqual(wanted({ grep: '[a-]x' }, ['-x', 'bx']), ['-x'])
  })

  test('takes lines of a level, and of those after it that say none', () => {
    const lines = [
      'starting',
      'level=info msg=a',
      'level=error msg=b',
      '    at main.js:1',
      'level=debug msg=c',
      '    more',
    ]
    assert.deepEqual(wanted({ level: 'warn' }, lines), ['starting', 'level=error msg=b', '    at main.js:1'])
  })

  test('keeps the levels of containers and streams apart', () => {
    const lines = new LogFilter({ level: 'error' })
    assert.equal(lines.take({ container: 'a', stream: 'stderr', text: 'ERROR: x' }), 'error')
    assert.equal(lines.take({ container: 'a', stream: 'stdout', text: 'INFO: x' }), undefined)
    assert.equal(lines.take({ container: 'a', stream: 'stderr', text: '  at y' }), 'error')
    assert.equal(lines.take({ container: 'b', stream: 'stderr', text: 'z' }), 'none')
  })

  test('refuses what is no regular expression', () => {
    assert.throws(() => wanted({ grep: '(' }, []), { message: /invalid --grep "\("/ })
  })
})
