/** The language server: an editor's documents in, what is wrong, known and meant in them out. */
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import {
  type CompletionItem,
  CompletionItemKind,
  createConnection,
  type Diagnostic,
  DiagnosticSeverity,
  type ProtocolConnection,
  TextDocumentSyncKind,
  TextDocuments,
} from 'vscode-languageserver'
import { createProtocolConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-languageserver/node'
import { TextDocument } from 'vscode-languageserver-textdocument'
import { messageOf } from '../lib/failure.ts'
import type { Place, Problem } from '../lib/problems.ts'
import { complete, type Proposal } from './completion.ts'
import { definition } from './definition.ts'
import { type Diagnosed, diagnose } from './diagnostics.ts'
import { hover } from './hover.ts'
import type { Section } from './names.ts'
import type { Schema } from './schema.ts'

/** What a stack has turned out to be. */
export interface Checked {
  readonly problems: readonly Problem[]
  /** Of the stack when it could be read. */
  readonly stack?: {
    names(section: Section): readonly string[]
    place(path: readonly string[]): Place | undefined
  }
}

export interface ServerOptions {
  readonly input: NodeJS.ReadableStream
  readonly output: NodeJS.WritableStream
  readonly version: string
  readonly schema: Schema
  /** Reads a stack as every command does; `unsaved` has the texts of files as the editor has them, by absolute path. */
  check(file: string, unsaved: ReadonlyMap<string, string>): Promise<Checked>
  /** The text on the disk; undefined when there is none. */
  readFile(path: string): string | undefined
  readonly signal: AbortSignal
}

/** Serves until the editor says exit, or is gone: 0 when it had said so before. */
export async function serve(options: ServerOptions): Promise<number> {
  return await new Server(options).done
}

class Server {
  readonly done: Promise<number>
  readonly #options: ServerOptions
  readonly #connection
  readonly #documents = new TextDocuments(TextDocument)
  /** Files to be read, absolute: one after the other, each once however often it changes before its turn. */
  readonly #waiting = new Set<string>()
  #turn: Promise<void> | undefined
  /** By the file that was checked. */
  readonly #checked = new Map<string, Checked>()
  readonly #found = new Map<string, ReadonlyMap<string, readonly Diagnosed[]>>()

  constructor(options: ServerOptions) {
    this.#options = options
    const { promise, resolve } = Promise.withResolvers<number>()
    let isShutDown = false
    const watchDog = {
      initialize: () => {},
      get shutdownReceived() {
        return isShutDown
      },
      set shutdownReceived(value: boolean) {
        isShutDown = value
      },
      exit: resolve,
    }
    this.#connection = createConnection(logger => this.#open(logger), watchDog)
    const connection = this.#connection
    const ended = () => resolve(isShutDown ? 0 : 1)
    options.input.once('end', ended).once('close', ended)
    options.signal.addEventListener('abort', ended, { once: true })
    this.done = promise.finally(() => {
      this.#waiting.clear()
      connection.dispose()
    })
    connection.onInitialize(() => ({
      capabilities: {
        textDocumentSync: TextDocumentSyncKind.Incremental,
        completionProvider: { triggerCharacters: [' ', ':', '-', '*', '[', ',', '{'] },
        hoverProvider: true,
        definitionProvider: true,
      },
      serverInfo: { name: 'tscompose', version: options.version },
    }))
    connection.onCompletion(({ textDocument, position }) => {
      const lines = this.#lines(textDocument.uri)
      const others = (section: Section) =>
        this.#checked.get(pathOf(textDocument.uri) ?? '')?.stack?.names(section) ?? []
      const proposals = complete(lines, position, { schema: options.schema, others })
      return proposals.map(each => item(each, position))
    })
    connection.onHover(({ textDocument, position }) => {
      const found = hover(this.#lines(textDocument.uri), position, options.schema)
      return (
        found && {
          contents: { kind: 'markdown' as const, value: found.text },
          range: range(position.line, found.from, found.to),
        }
      )
    })
    connection.onDefinition(({ textDocument, position }) => this.#definition(textDocument.uri, position))
    this.#documents.onDidChangeContent(() => this.#checkAll())
    this.#documents.onDidClose(({ document }) => this.#forget(document.uri))
    connection.onDidChangeWatchedFiles(() => this.#checkAll())
    this.#documents.listen(connection)
    connection.listen()
  }

  #open(logger: Parameters<typeof createProtocolConnection>[2]): ProtocolConnection {
    const { input, output } = this.#options
    return createProtocolConnection(new StreamMessageReader(input), new StreamMessageWriter(output), logger)
  }

  #lines(uri: string): readonly string[] {
    return (this.#documents.get(uri)?.getText() ?? '').split(/\r?\n/)
  }

  #unsaved(path: string): string | undefined {
    return this.#documents.get(pathToFileURL(path).href)?.getText()
  }

  #texts(): ReadonlyMap<string, string> {
    return new Map(
      this.#documents.all().flatMap(document => {
        const path = pathOf(document.uri)
        return path === undefined ? [] : [[path, document.getText()]]
      }),
    )
  }

  #read(path: string): string | undefined {
    return this.#unsaved(path) ?? this.#options.readFile(path)
  }

  #definition(uri: string, position: { readonly line: number; readonly character: number }) {
    const file = pathOf(uri)
    if (file === undefined) return null
    const found = definition(this.#lines(uri), position, {
      file,
      read: path => this.#read(path),
      elsewhere: (section, name) => {
        const place = this.#checked.get(file)?.stack?.place([section, name])
        return place && { file: place.file, line: place.line - 1, column: place.column - 1 }
      },
    })
    return found ? { uri: pathToFileURL(found.file).href, range: range(found.line, found.column, found.column) } : null
  }

  /** A change of one may be a change of what another includes. */
  #checkAll(): void {
    for (const { uri } of this.#documents.all()) {
      const file = pathOf(uri)
      if (file === undefined) continue
      this.#waiting.add(file)
    }
    this.#turn ??= this.#checkWaiting().finally(() => {
      this.#turn = undefined
    })
  }

  async #checkWaiting(): Promise<void> {
    // keys that have arrived together are one change
    await setImmediate()
    for (const file of this.#waiting) {
      this.#waiting.delete(file)
      await this.#check(file)
    }
  }

  async #check(file: string): Promise<void> {
    const text = this.#unsaved(file)
    const checked = await this.#options.check(file, this.#texts()).catch((error: unknown): Checked => {
      // a fault of ours is no fault of the stack: the editor's log has it
      this.#connection.console.error(error instanceof Error ? (error.stack ?? error.message) : messageOf(error))
      return { problems: [] }
    })
    // what has been written meanwhile is looked at by the next
    if (text === undefined || this.#unsaved(file) !== text) return
    // names stay known while a line is being written
    this.#checked.set(file, checked.stack ? checked : { ...this.#checked.get(file), problems: checked.problems })
    const before = this.#found.get(file)
    const found = diagnose(checked.problems, { file, lines: path => (this.#read(path) ?? '').split(/\r?\n/) })
    this.#found.set(file, found)
    for (const path of new Set([...found.keys(), ...(before?.keys() ?? [])])) this.#publish(path)
  }

  #forget(uri: string): void {
    const file = pathOf(uri)
    if (file === undefined) return
    this.#waiting.delete(file)
    const before = this.#found.get(file)
    this.#found.delete(file)
    this.#checked.delete(file)
    for (const path of before?.keys() ?? []) this.#publish(path)
    // what includes it sees what is on the disk again
    this.#checkAll()
  }

  /** What all stacks that have been checked say of it, the same but once. */
  #publish(path: string): void {
    const all = new Map<string, Diagnostic>()
    for (const found of this.#found.values())
      for (const each of found.get(path) ?? []) all.set(JSON.stringify(each), diagnostic(each))
    void this.#connection.sendDiagnostics({ uri: pathToFileURL(path).href, diagnostics: [...all.values()] })
  }
}

/** Undefined for what is no file, as a new one that has no name yet. */
function pathOf(uri: string): string | undefined {
  return uri.startsWith('file://') ? fileURLToPath(uri) : undefined
}

function range(line: number, from: number, to: number) {
  return { start: { line, character: from }, end: { line, character: to } }
}

function diagnostic({ severity, code, message, line, from, to }: Diagnosed): Diagnostic {
  return {
    severity: severity === 'error' ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
    range: range(line, from, to),
    code,
    source: 'tscompose',
    message,
  }
}

const kinds = {
  key: CompletionItemKind.Property,
  word: CompletionItemKind.EnumMember,
  name: CompletionItemKind.Reference,
} as const

function item(
  { label, kind, text, start, about, deprecated }: Proposal,
  { line, character }: { readonly line: number; readonly character: number },
): CompletionItem {
  return {
    label,
    kind: kinds[kind],
    textEdit: { range: range(line, start, character), newText: text },
    ...(about === undefined ? {} : { documentation: { kind: 'markdown', value: about } }),
    ...(deprecated ? { deprecated } : {}),
  }
}
