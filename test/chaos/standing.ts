/** What an engine, its monitors, its containers and this machine are at, in words, for whoever must tell a call that hangs from a busy machine. */
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { endpoints } from '../../src/api/endpoints.ts'
import { createClient } from '../../src/client/client.ts'
import type { TestEngine } from '../support/engine.ts'

/** Lines of the engine's log that are told. */
const logLines = 60
/** Milliseconds until a call counts as not answered. */
const answerTimeout = 5000
const userSignal = constants.signals.SIGUSR2

const reportFolder = mkdtempSync(join(tmpdir(), 'tsc-reports-'))
process.on('exit', () => rmSync(reportFolder, { recursive: true, force: true }))

/** Engines that are started from now on log each request, and report their stack and handles on SIGUSR2. */
export function makeTalkative(): void {
  process.env['NODE_OPTIONS'] = `--report-on-signal --report-directory=${reportFolder}`
  process.env['NODE_DEBUG'] = 'tscompose:http,tscompose:runtime'
}

export async function standing(engine: TestEngine): Promise<string> {
  const { processes } = await engine.stock()
  return [
    `load ${read('/proc/loadavg')}; pressure of processors ${read('/proc/pressure/cpu').split('\n')[0]}`,
    ...(await answers(engine)),
    ...(await engineReport(engine)),
    `engine ${processText(engine.pid)}`,
    ...processes.map(line => processText(Number(line.split(' ')[0]))),
    'the last lines of its log:',
    ...engine.log.split('\n').slice(-logLines),
  ].join('\n')
}

/** How long it takes to answer, and what it says of its containers. */
async function answers(engine: TestEngine): Promise<readonly string[]> {
  const api = createClient(engine.host)
  const signal = AbortSignal.timeout(answerTimeout)
  const asked = performance.now()
  try {
    await api.call(endpoints.ping, {}, { signal })
    const pinged = Math.round(performance.now() - asked)
    const all = await api.call(endpoints.containerList, { query: { all: true } }, { signal })
    return [
      `a ping was answered after ${pinged} ms; containers:`,
      ...all.map(({ Id, Names, State, Status }) => `  ${Id.slice(0, 12)} ${Names.join(' ')} ${State} (${Status})`),
    ]
  } catch (error) {
    return [`not answered after ${Math.round(performance.now() - asked)} ms: ${(error as Error).message}`]
  } finally {
    api.close()
  }
}

/** Node's own report of its stack and handles, of an engine started after `makeTalkative`. */
async function engineReport(engine: TestEngine): Promise<readonly string[]> {
  // sent before Node listens for it, the signal would end the engine
  if (!catches(engine.pid, userSignal)) return ['the engine has just begun, or has ended']
  const before = reports()
  process.kill(engine.pid, userSignal)
  for (let tries = 0; tries < 50; tries++) {
    await pause(100)
    const name = reports().find(each => !before.includes(each) && each.includes(`.${engine.pid}.`))
    if (name === undefined) continue
    try {
      const { javascriptStack, libuv } = JSON.parse(read(join(reportFolder, name)))
      return [
        `engine's stack: ${javascriptStack?.stack?.join(' < ')}`,
        ...(libuv as readonly Record<string, unknown>[])
          .filter(({ is_active }) => is_active)
          .map(
            ({ type, fd, pid, localEndpoint, remoteEndpoint, writeQueueSize }) =>
              `  ${JSON.stringify({ type, fd, pid, localEndpoint, remoteEndpoint, writeQueueSize })}`,
          ),
      ]
    } catch {
      // not yet written whole
    }
  }
  return ['the engine does not report itself within 5 s: its thread is busy or stopped']
}

/** Whether a process does something of its own with a signal. */
function catches(pid: number, signal: number): boolean {
  const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(read(`/proc/${pid}/status`))?.[1]
  return mask !== undefined && ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n
}

function reports(): readonly string[] {
  return readdirSync(reportFolder)
}

/** State, where in the kernel it waits, since when, and what it has open. */
function processText(pid: number): string {
  const at = (file: string) => read(`/proc/${pid}/${file}`)
  const words = /^(?:State|PPid|SigPnd|ShdPnd|SigBlk|voluntary_ctxt_switches):.*$/gm
  const state = at('status').match(words)?.join('; ').replaceAll(/\s+/g, ' ')
  const times = at('stat').split(') ').at(-1)?.split(' ')
  return [
    `${pid} ${at('comm')} (${at('cmdline').replaceAll('\0', ' ').slice(0, 120)}): ${state}`,
    `  waits in ${at('wchan')}, ${at('stack').split('\n').slice(0, 6).join(' < ')}; syscall ${at('syscall')}`,
    `  ticks: user ${times?.[11]}, system ${times?.[12]}, started ${times?.[19]}`,
    `  open: ${descriptors(pid).join(' ')}`,
  ].join('\n')
}

function descriptors(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map(fd => `${fd}→${readlinkSync(`/proc/${pid}/fd/${fd}`)}`)
  } catch {
    // ended while we looked
    return []
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    // ended while we looked, or a kernel without that file
    return '?'
  }
}
