export { type Cell, defineProcess, goes, ignored, impossible, type Process, refused, type Table } from './process.ts';
export { mermaidOf, tableOf } from './diagram.ts';
