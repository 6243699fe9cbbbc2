/** The guestbook from nothing to running, down, up again and away, as `npm run demo` shows it. */
import { spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

const tscompose = fileURLToPath(new URL('../src/cli/tscompose', import.meta.url))
const guestbook = fileURLToPath(new URL('guestbook', import.meta.url))
const makeImages = fileURLToPath(new URL('make-images', import.meta.url))

const port = await freePort(Number(process.env.GUESTBOOK_PORT ?? 8080))
const page = `http://127.0.0.1:${port}/`
const entry = `hello from the demo at ${new Date().toISOString()}`

say('The images, made from this distribution once')
run(makeImages, 'nginx', 'node', 'redis')
// what an interrupted run may have left
run(tscompose, 'down')

say('What up would do, and why')
run(tscompose, 'plan')
say('Up')
run(tscompose, 'up', '-d', '--wait')
say(`An entry through the published port, ${page}`)
console.log(await (await fetch(page, { method: 'POST', body: entry })).text())
say('What runs, and what it said')
run(tscompose, 'ps')
run(tscompose, 'logs', '--tail', '5')
say('A second plan')
run(tscompose, 'plan')

say('Down and up again: the volume keeps the entry')
run(tscompose, 'down')
run(tscompose, 'up', '-d', '--wait')
const { entries } = (await (await fetch(page)).json()) as { entries: readonly string[] }
if (!entries.includes(entry)) fail(`The entry is gone: the guestbook has ${JSON.stringify(entries)}`)
console.log(`The guestbook still has: ${entries.at(-1)}`)

say('And away')
run(tscompose, 'down')

function run(command: string, ...args: readonly string[]): void {
  console.log(`$ ${command === tscompose ? 'tscompose' : 'make-images'} ${args.join(' ')}`)
  const { status, error } = spawnSync(command, args, {
    cwd: guestbook,
    stdio: 'inherit',
    env: { ...process.env, GUESTBOOK_PORT: String(port) },
  })
  if (error) throw error
  if (status !== 0) fail(`${command} ${args.join(' ')} ended with ${status}`)
}

function say(text: string): void {
  console.log(`\n── ${text}`)
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}

/** `wanted` when nobody listens there, otherwise a port the kernel gives. */
async function freePort(wanted: number): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const server = createServer()
  server.once('error', () => resolve(wanted === 0 ? 0 : freePort(0)))
  server.listen(wanted, '127.0.0.1', () => {
    const { port } = server.address() as { port: number }
    server.close(() => resolve(port))
  })
  return promise
}
