/**
 * Has schemathesis ask an engine of its own what schemas/engine.openapi.json allows, and what it does not: `npm run fuzz`, by hand.
 * FUZZ_EXAMPLES (20 an operation) and FUZZ_SEED choose the run.
 */
import { existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createClient } from '../../src/client/client.ts'
import { messageOf } from '../../src/lib/failure.ts'
import { command } from '../support/command.ts'
import { TestEngine } from '../support/engine.ts'
import { which } from '../support/needs.ts'
import { Targets } from './targets.ts'

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const own = path('../../node_modules/.cache/schemathesis/bin/schemathesis')
const program = existsSync(own) ? own : which('schemathesis')
if (program === undefined) {
  console.log('schemathesis is not here (".ci/setup fuzz" brings it): the OpenAPI file is not fuzzed')
  process.exit(1)
}
const seed = String(Number(process.env['FUZZ_SEED'] ?? Date.now() % 1e6))
const engine = await TestEngine.start(['busybox'], {
  config: () => ({ listen: ['tcp://127.0.0.1:0'], 'insecure-tcp': true }),
})
const { pid } = engine
const client = createClient(engine.host)
const over = new AbortController()
let code = 1

/** What the requests have removed is there again a moment later. */
async function renewing(): Promise<void> {
  const targets = await Targets.open(client)
  while (!over.signal.aborted) {
    await pause(500, undefined, { signal: over.signal }).catch(() => undefined)
    await targets.renew()
  }
}

try {
  const address = /listens on tcp:\/\/(127\.0\.0\.1:\d+)/.exec(engine.log)![1]!
  const args = [
    ...['run', path('../../schemas/engine.openapi.json'), '--url', `http://${address}/v1.51`, '--seed', seed],
    ...['--checks', 'tells_no_insides', '--max-examples', process.env['FUZZ_EXAMPLES'] ?? '20'],
    ...['--phases', 'examples,coverage,fuzzing', '--workers', '2', '--request-timeout', '20', '--no-color'],
    // those do not end, or take the connection over
    ...['--exclude-path-regex', '^/(events|grpc|session)'],
  ]
  const renewed = renewing().catch(messageOf)
  const said = await command(program, args, {
    // it leaves a folder with what it has found
    cwd: engine.folder,
    env: { SCHEMATHESIS_HOOKS: 'checks', PYTHONPATH: path('.'), PYTHONDONTWRITEBYTECODE: '1' },
    timeout: 1_800_000,
  })
  over.abort()
  const broken = await renewed
  if (broken !== undefined) console.log(`what is asked for could not be made again: ${broken}`)
  console.log(said.stdout.slice(-20_000), said.stderr.slice(-2000))
  const stacks = engine.log.split('\n').filter(line => /^\s+at |defect:/.test(line))
  for (const line of stacks.slice(0, 20)) console.log(`the log of the engine: ${line}`)
  if (engine.pid !== pid) console.log('the engine is another')
  code = said.code === 0 && broken === undefined && stacks.length === 0 && engine.pid === pid ? 0 : 1
} finally {
  over.abort()
  client.close()
  await engine.stop()
}
process.exit(code)
