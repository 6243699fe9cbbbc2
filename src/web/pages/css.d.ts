/** Style files are bundled by esbuild, and give nothing to import. */
declare module '*.css'
