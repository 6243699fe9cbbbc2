/** What this machine has, as the checks of self check need it: read once, nothing is changed by it. */
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { release } from 'node:os'
import { delimiter, join } from 'node:path'
import { errnoOf } from '../../lib/failure.ts'

export interface Machine {
  readonly architecture: string
  /** "6.1.0-18-amd64". */
  readonly kernel: string
  /** glibc's version; undefined with another C library. */
  readonly glibc: string | undefined
  readonly uid: number
  /** Names of file systems the kernel knows now. */
  readonly filesystems: readonly string[]
  /** Kernel modules: loaded, built in, or there to be loaded. */
  hasModule(name: string): boolean
  /** Whether the directory /proc/self/ns has it. */
  readonly namespaces: readonly string[]
  /** Of /proc/self/mountinfo. */
  readonly mountinfo: string
  /** /proc/sys/PATH; undefined where there is none. */
  setting(path: string): string | undefined
  /** A file, by its whole path; undefined where it cannot be read. */
  text(path: string): string | undefined
  /** Whether this user may read and write it. */
  opens(path: string): boolean
  /** A shared library the loader would find by this name. */
  hasLibrary(soname: string): boolean
  /** A program in the PATH or the folders of root. */
  hasProgram(name: string): boolean
  readonly user: string | undefined
}

export function thisMachine(env: Readonly<Record<string, string | undefined>>): Machine {
  const kernel = release()
  const modules = join('/lib/modules', kernel)
  const listed = ['modules.dep', 'modules.builtin'].map(file => textOf(join(modules, file)) ?? '')
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  return {
    architecture: process.arch,
    kernel,
    glibc: header.glibcVersionRuntime,
    uid: process.getuid?.() ?? -1,
    filesystems: (textOf('/proc/filesystems') ?? '').split('\n').flatMap(line => line.trim().split(/\s+/).at(-1) || []),
    hasModule: name =>
      existsSync(`/sys/module/${name}`) ||
      hasSymbolOf(name) ||
      listed.some(text => new RegExp(`/${name.replaceAll('_', '[_-]')}\\.ko`).test(text)),
    namespaces: namesIn('/proc/self/ns'),
    mountinfo: textOf('/proc/self/mountinfo') ?? '',
    setting: path => textOf(join('/proc/sys', path))?.trim(),
    text: textOf,
    opens: path => {
      try {
        accessSync(path, constants.R_OK | constants.W_OK)
        return true
      } catch {
        // not there, or not for this user: the row says so
        return false
      }
    },
    hasLibrary: soname => libraryFolders().some(folder => existsSync(join(folder, soname))),
    hasProgram: name =>
      [...(env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/bin', '/bin'].some(
        folder => folder.startsWith('/') && statSync(join(folder, name), { throwIfNoEntry: false })?.isFile(),
      ),
    user: env['SUDO_USER'] ?? env['USER'],
  }
}

/** A function of each module: what is built in without parameters is nowhere else to be seen. */
const symbols: Readonly<Record<string, string>> = {
  bridge: 'br_dev_setup',
  veth: 'veth_setup',
  nf_tables: 'nf_tables_newtable',
  overlay: 'ovl_fill_super',
}

let kallsyms: string | undefined

function hasSymbolOf(module: string): boolean {
  kallsyms ??= textOf('/proc/kallsyms') ?? ''
  return symbols[module] !== undefined && kallsyms.includes(` ${symbols[module]}\n`)
}

/** Where ld.so looks without being told (ld.so(8)), and where distributions put what is for one architecture. */
function libraryFolders(): readonly string[] {
  const configured = ['/etc/ld.so.conf', ...namesIn('/etc/ld.so.conf.d').map(name => `/etc/ld.so.conf.d/${name}`)]
    .flatMap(file => (textOf(file) ?? '').split('\n'))
    .map(line => line.trim())
    .filter(line => line.startsWith('/'))
  const usual = ['/lib', '/usr/lib', '/lib64', '/usr/lib64', '/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu']
  return [...new Set([...configured, ...usual])]
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'EACCES', 'EPERM', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}

function namesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}
