/** Whether a command that a launcher asks for would do the same in this process as in one of its own. */
import { readFileSync, readlinkSync, statSync } from 'node:fs'
import { getPriority } from 'node:os'

/** Lines of /proc/PID/status (proc(5)) that say what a process may do. */
const rights = /^(Uid|Gid|Groups|CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):.*$/gm
const namespaces = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts']
/** Variables that are read when a program starts, by the loader, by libc or by Node. */
const early = /^(NODE_|UV_|LD_|GLIBC_|MALLOC_|LC_|SSL_|OPENSSL_|TZ$|LANG$|LANGUAGE$|ICU_)/

export type Environment = Readonly<Record<string, string | undefined>>

/** What holds for a process and cannot be taken over: rights, limits, namespaces, root folder, priority. */
export function standing(pid: number | 'self'): string {
  const of = `/proc/${pid}`
  const root = statSync(`${of}/root/`)
  return [
    ...(readFileSync(`${of}/status`, 'utf8').match(rights) ?? []),
    readFileSync(`${of}/limits`, 'utf8'),
    ...namespaces.map(name => readlinkSync(`${of}/ns/${name}`)),
    `${root.dev} ${root.ino}`,
    getPriority(pid === 'self' ? 0 : pid),
  ].join('\n')
}

/** The variables of which only a new process takes notice, as text. */
export function earlyVariables(environment: Environment): string {
  return Object.keys(environment)
    .filter(name => early.test(name) && name !== 'NODE_COMPILE_CACHE')
    .sort()
    .map(name => `${name}=${environment[name]}`)
    .join('\n')
}

/** What the mask of new files is there: octal digits. */
export function maskOf(pid: number): number {
  const found = /^Umask:\s*([0-7]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  if (!found) throw new Error('Cannot tell the mask of new files')
  return Number.parseInt(found[1]!, 8)
}

/** Commands that take a terminal for themselves, as keys or as a job that ^Z stops. */
const atTerminal = new Set(['attach', 'exec', 'run', 'logs', 'watch', 'events', 'stats', 'start', 'scale'])

/** Whether the words are those of a command that ends, and leaves the terminal alone. */
export function isBrief(words: readonly string[], onTerminal: boolean): boolean {
  // the engine and its keeper stay; what they are asked is little
  if (words.includes('engine')) return false
  // as long as an editor, or a person, has it open
  if (words.includes('lsp') || words.includes('ui')) return false
  if (!onTerminal) return true
  if (words.some(word => atTerminal.has(word))) return false
  return !words.includes('up') || words.some(word => /^(--detach|--wait|-[a-z]*d[a-z]*)$/.test(word))
}
