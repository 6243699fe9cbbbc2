/** What a command is: its manual page as data, and what runs when it is called. */
import type { Client } from '../client/client.ts'
import type { Interrupts } from './interrupts.ts'
import type { GlobalValues, OptionTable, Values } from './options.ts'
import type { Screen } from './screen.ts'
import type { Input } from './terminal.ts'

/** A row of the command table, as the overview needs it. */
export interface HelpRow {
  readonly name: string
  readonly group: string
  readonly summary: string
}

/** A row of the table of commands: what is needed before the command's own file is loaded. */
export interface CommandRow extends HelpRow {
  load(): Promise<Command>
}

/** What a command is called with. */
export interface Call<Table extends OptionTable = OptionTable> {
  readonly options: Values<Table>
  readonly globals: GlobalValues
  /** The words that are no options: services, or a service and a command. */
  readonly args: readonly string[]
  readonly screen: Screen
  /** All there are. */
  readonly commands: readonly CommandRow[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Without what .env files say of variables for the command line, which `env` has: for whoever calls again from another folder. */
  readonly processEnv: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** ^C and SIGTERM; `interrupts.take` to end things in order, `signal` to stop where one is. */
  readonly interrupts: Interrupts
  readonly signal: AbortSignal
  /** The terminal's or pipe's input, for what reads it: exec, run, -f -. */
  readonly stdin: Input
  /** Opens the engine; the seam that tests replace. */
  connect(): Promise<Client>
}

export interface Command<Table extends OptionTable = OptionTable> {
  /** After the command's name: `[OPTIONS] [SERVICE...]`. */
  readonly usage: string
  /** A paragraph for --help, where the summary is not enough. */
  readonly about?: string
  readonly options: Table
  /** How many words it takes, at least and at most; none means any number. */
  readonly words?: readonly [least: number, most: number]
  /** The first word that is no option ends them; the rest is the container's. */
  readonly passthrough?: boolean
  /** [what to type, what it does]. */
  readonly examples?: readonly (readonly [string, string])[]
  /** The exit code, 0 when nothing is returned. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a command without an exit code of its own returns nothing
  run(call: Call<Table>): Promise<number | void>
}

/** Keeps the literal types of the options, so that `call.options` is checked against the table. */
export function command<const Table extends OptionTable>(definition: Command<Table>): Command<Table> {
  return definition
}
