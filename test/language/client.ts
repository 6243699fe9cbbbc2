/** An editor without a screen: speaks to `tscompose lsp` as a process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { pathToFileURL } from 'node:url'
import type { Diagnostic, ProtocolConnection } from 'vscode-languageserver'
import { createProtocolConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-languageserver/node'
import { launcher } from '../support/engine.ts'

export class Editor {
  readonly process: ChildProcess
  readonly connection: ProtocolConnection
  readonly #diagnostics = new Map<string, readonly Diagnostic[]>()
  #told = Promise.withResolvers<void>()
  #version = 0

  private constructor(cwd: string, env: Readonly<Record<string, string>>) {
    this.process = spawn(launcher, ['lsp'], { cwd, env: { ...process.env, TSCOMPOSE_WARM: '0', ...env } })
    const { stdin, stdout } = this.process
    this.connection = createProtocolConnection(new StreamMessageReader(stdout!), new StreamMessageWriter(stdin!))
    this.connection.onNotification('textDocument/publishDiagnostics', ({ uri, diagnostics }) => {
      this.#diagnostics.set(uri, diagnostics)
      this.#told.resolve()
      this.#told = Promise.withResolvers()
    })
    this.connection.listen()
  }

  static async start(cwd: string, env: Readonly<Record<string, string>> = {}): Promise<Editor> {
    const editor = new Editor(cwd, env)
    await editor.connection.sendRequest('initialize', { processId: process.pid, rootUri: null, capabilities: {} })
    await editor.connection.sendNotification('initialized', {})
    return editor
  }

  /** Opens a file with this text, whatever is on the disk. */
  async open(file: string, text: string): Promise<void> {
    const uri = pathToFileURL(file).href
    const textDocument = { uri, languageId: 'yaml', version: ++this.#version, text }
    await this.connection.sendNotification('textDocument/didOpen', { textDocument })
  }

  async change(file: string, text: string): Promise<void> {
    const textDocument = { uri: pathToFileURL(file).href, version: ++this.#version }
    await this.connection.sendNotification('textDocument/didChange', { textDocument, contentChanges: [{ text }] })
  }

  async close(file: string): Promise<void> {
    await this.connection.sendNotification('textDocument/didClose', {
      textDocument: { uri: pathToFileURL(file).href },
    })
  }

  /** The diagnostics of a file once they are as wanted. */
  async diagnostics(
    file: string,
    wanted: (found: readonly Diagnostic[]) => boolean = () => true,
  ): Promise<readonly Diagnostic[]> {
    for (;;) {
      const found = this.#diagnostics.get(pathToFileURL(file).href)
      if (found && wanted(found)) return found
      await this.#told.promise
    }
  }

  ask<Answer>(method: string, file: string, line: number, character: number): Promise<Answer> {
    const params = { textDocument: { uri: pathToFileURL(file).href }, position: { line, character } }
    return this.connection.sendRequest(method, params)
  }

  /** Resolves with its exit code. */
  async stop(): Promise<number | null> {
    const exited = once(this.process, 'exit')
    await this.connection.sendRequest('shutdown')
    await this.connection.sendNotification('exit')
    const [code] = await exited
    this.connection.dispose()
    return code
  }
}
