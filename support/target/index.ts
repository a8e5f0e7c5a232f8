export * from './target';
export { selectTarget } from './select';
