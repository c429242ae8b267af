#![allow(clippy::all, clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]
use blindrelay_engine::bfv::*; use blindrelay_engine::circuit::*; use blindrelay_engine::params::*; use blindrelay_engine::Backend;
use blindrelay_keyholder::*; use std::time::Instant; use blindrelay_engine::ring::Seed;
fn main() {
    let name = std::env::args().nth(1).unwrap_or("decide-16384".into());
    let t0=Instant::now();
    let p = Parameters::new(preset(&name).unwrap(), Backend::detect()).unwrap();
    println!("parameters {:?}", t0.elapsed()); let t0=Instant::now();
    let c = Context::new(&p).unwrap();
    println!("context {:?}", t0.elapsed());
    let th = Threshold::new(ValueSet::new(-128,128,2).unwrap(), 34).unwrap();
    let plan = th.plan(&c); 
    match &plan { Ok(p)=>println!("{p:?}"), Err(e)=>{println!("{e}"); return;} }
    let plan=plan.unwrap();
    let t0=Instant::now();
    let key = SecretKey::from_seed(&c, Seed::from_bytes([7;32]));
    let keys = key.evaluation_keys(&KeyRequirements{relinearization:true, galois: Default::default()});
    println!("keys {:?}", t0.elapsed());
    let n=p.degree();
    let vals: Vec<i64> = (0..n as i64).map(|i| ((i*37)%129)*2-128).collect();
    let ct = key.encrypt(&c.encode_slots(&vals).unwrap()).unwrap().expand(&c).unwrap();
    let ev = Evaluator::new(&c);
    let x = Operand::fresh(ct);
    let threads: usize = std::env::args().nth(2).and_then(|s| s.parse().ok()).unwrap_or(1);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    for _ in 0..4 {
        let t0=Instant::now();
        let out = pool.install(|| th.run(&Evaluation::new(&ev,&keys), std::slice::from_ref(&x)).unwrap());
        println!("threshold {:?} level {}", t0.elapsed(), out[0].ciphertext().level());
        let ct = out.into_iter().next().unwrap().into_plain().unwrap();
        let slots = c.decode_slots(&hazmat::decrypt(&key,&ct).unwrap()).unwrap();
        let bad = slots.iter().zip(&vals).filter(|(s,v)| **s != i64::from(**v>=34)).count();
        println!("bad {bad} noise measured {:?} bound {:.2} plan {:.2} limit {:.2}", hazmat::measure_noise(&key,&ct).unwrap(), ct.noise().sup_log2(), plan.noise_log2, plan.limit_log2);
    }
}
