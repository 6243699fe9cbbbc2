/** The phases of the C core, held against its includes as they are. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { cycle } from './cycle.ts'

const native = fileURLToPath(new URL('../../native', import.meta.url))

/** Headers of the C core by phase, and what each builds on. Whoever decodes knows nothing of steps that run, and so on. */
const headers: Readonly<Record<string, readonly string[]>> = {
  'system.h': [],
  'frames.h': [],
  'steps.h': [],
  'program.h': ['steps.h', 'system.h'],
  'settings.h': ['system.h'],
  'setup.h': ['frames.h', 'program.h', 'settings.h'],
  'supervise.h': ['frames.h', 'settings.h'],
  // other programs: the namespaces of an engine without root rights, and the command line's launcher
  'rootless.h': ['system.h'],
  'warm.h': [],
}

describe('the phases of native/', () => {
  const sources = readdirSync(native).filter(file => /\.[ch]$/.test(file))
  const includes = new Map(
    sources.map(file => [
      file,
      [...readFileSync(join(native, file), 'utf8').matchAll(/^#include "([^"]+)"/gm)].map(match => match[1]!),
    ]),
  )

  test('every header has a place, and builds on those before it alone', () => {
    const found = sources.filter(file => file.endsWith('.h'))
    assert.deepEqual(found.sort(), Object.keys(headers).sort())
    for (const header of found) assert.deepEqual(includes.get(header)?.sort(), [...headers[header]!].sort(), header)
  })

  test('there is no circle of headers', () => {
    assert.equal(cycle(includes)?.join(' → '), undefined)
  })

  test('a source belongs to one phase; only the monitor sees a process set up and supervised', () => {
    const phases = [...includes].filter(([file, of]) => file.endsWith('.c') && of.length > 1)
    assert.deepEqual(phases, [['monitor.c', ['setup.h', 'supervise.h']]])
  })

  test('a source has at most 250 lines', () => {
    const long = sources.filter(file => readFileSync(join(native, file), 'utf8').split('\n').length > 251)
    assert.deepEqual(long, [])
  })
})
