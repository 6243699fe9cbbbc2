import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileLimits, givenFiles, parseFileLimit } from '../../src/runtime/given-files.ts'
import { rlimitSteps } from '../../src/runtime/parts/limits.ts'
import { command } from '../support/command.ts'

const limit = (soft: number, hard: number) => ({ soft, hard })

test('a limit is read from what the kernel shows of a process', () => {
  const text =
    'Limit  Soft Limit  Hard Limit  Units\nMax processes  100 100 processes\nMax open files            1024                 524288               files     \n'
  assert.deepEqual(parseFileLimit(text), limit(1024, 524288))
  assert.equal(parseFileLimit(''), undefined)
})

test('what we were given is what the nearest process above has that did not raise it', () => {
  const raised = limit(4096, 4096)
  assert.deepEqual(givenFiles([raised, raised, limit(1024, 4096), limit(512, 4096)]), limit(1024, 4096))
  assert.equal(givenFiles([raised, raised, raised]), undefined)
  // one that was started by a service manager, whose own limits say nothing
  assert.equal(givenFiles([raised, limit(1024, 1048576), limit(1024, 4096)]), undefined)
  assert.equal(givenFiles([raised, undefined, limit(1024, 4096)]), undefined)
  // not raised: what we start has it already
  assert.equal(givenFiles([limit(1024, 4096), limit(512, 4096)]), undefined)
  assert.equal(givenFiles([]), undefined)
})

test('a Node below a shell finds what the shell was given', async () => {
  const script = `import(${JSON.stringify(new URL('../../src/runtime/given-files.ts', import.meta.url).pathname)})
    .then(({ fileLimits, givenFiles }) => console.log(JSON.stringify([givenFiles(fileLimits()), fileLimits()[0]])))`
  const node = `${process.execPath} --disable-warning=ExperimentalWarning -e '${script}'`
  // the last word keeps the shell there
  const said = await command('sh', ['-c', `ulimit -Sn 300; ulimit -Hn 900; ${node}; true`])
  assert.deepEqual(JSON.parse(said.stdout || said.stderr), [limit(300, 900), limit(900, 900)])
  assert.ok(fileLimits().length > 1)
})

test('a process that is told no limit of its files has the given one', () => {
  const files = limit(1024, 4096)
  const steps = (...rlimits: { name: string; soft: number; hard: number }[]) =>
    rlimitSteps(rlimits, files).map(({ args }) => args)
  const given = { resource: 7, soft: 1024, hard: 4096 }
  assert.deepEqual(steps(), [given])
  assert.deepEqual(steps({ name: 'core', soft: 0, hard: 0 }), [{ resource: 4, soft: 0, hard: 0 }, given])
  assert.deepEqual(steps({ name: 'nofile', soft: 5, hard: 6 }), [{ resource: 7, soft: 5, hard: 6 }])
  assert.deepEqual(rlimitSteps([], undefined), [])
})
