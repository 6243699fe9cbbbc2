import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isAtLeast, levelOf } from '../../src/view/log-level.ts'

describe('levelOf()', () => {
  const table: readonly (readonly [line: string, level: string | undefined])[] = [
    ['{"level":"warn","msg":"x"}', 'warn'],
    ['{"severity":"ERROR"}', 'error'],
    ['{"level":50,"msg":"pino"}', 'error'],
    ['{"level":10}', 'trace'],
    ['{"msg":"no level"}', undefined],
    ['{not json', undefined],
    ['time="2026-01-02T03:04:05Z" level=warning msg="x"', 'warn'],
    ['level=info msg="level=error in the text"', 'info'],
    ['2026-01-02 03:04:05 [ERROR] it broke', 'error'],
    ['2026/01/02 03:04:05 [notice] 1#1: start worker', 'info'],
    ['2026-01-02 03:04:05.123 UTC [42] FATAL:  password authentication failed', 'fatal'],
    ['2026-01-02 03:04:05.123 UTC [42] LOG:  database system is ready', 'info'],
    ['E0102 03:04:05.678901 1 main.go:1] it broke', 'error'],
    ['<4>kernel: x', 'warn'],
    ['Error: it broke', 'error'],
    ['WARNING: old', 'warn'],
    ['\x1b[33mWARN\x1b[0m  coloured', 'warn'],
    ['    at Object.<anonymous> (/app/error.js:1:1)', undefined],
    ['GET /error HTTP/1.1 200', undefined],
    ['an error in a sentence', undefined],
    ['', undefined],
  ]
  for (const [line, level] of table)
    test(`${JSON.stringify(line)} is ${level ?? 'of no level'}`, () => assert.equal(levelOf(line), level))

  test('levels have an order', () => {
    assert.equal(isAtLeast('error', 'warn'), true)
    assert.equal(isAtLeast('warn', 'warn'), true)
    assert.equal(isAtLeast('info', 'warn'), false)
  })
})
