/** Has a process wait for the next command, with all of the code loaded: src/warm, by path. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defaultSocket } from '../client/host.ts'

/** Beside our own engine where it is used, which stays as well; beside others only where TSCOMPOSE_WARM=1 asks for it. */
export function isWelcome(env: Readonly<Record<string, string | undefined>>): boolean {
  if (env['TSCOMPOSE_WARM'] === '1') return true
  return (
    env['TSCOMPOSE_WARM'] !== '0' && !env['DOCKER_HOST'] && !env['DOCKER_CONTEXT'] && existsSync(defaultSocket(env))
  )
}

/** Starts it, unless one waits at `socket` already or it is not wanted. */
export function keepWaiting(socket: string, env: Readonly<Record<string, string | undefined>>): void {
  if (existsSync(socket) || !isWelcome(env)) return
  const start = fileURLToPath(new URL('../warm/start.cjs', import.meta.url))
  spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--', start, socket], {
    detached: true,
    cwd: '/',
    env,
    stdio: 'ignore',
  }).unref()
}
