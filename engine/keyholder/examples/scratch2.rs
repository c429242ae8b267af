#![allow(clippy::all, clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]
use blindrelay_engine::bfv::*; use blindrelay_engine::circuit::*; use blindrelay_engine::params::*; use blindrelay_engine::{Backend,Error};
use blindrelay_engine::noise::NoiseBound; use blindrelay_keyholder::*; use blindrelay_engine::ring::Seed; use std::time::Instant;
struct Find { threshold: Threshold, score: Score }
impl Circuit for Find {
    fn name(&self)->String{"find".into()}
    fn inputs(&self, c:&Context)->Result<Vec<Shape>,Error>{
        let n=c.parameters().degree(); let top=c.parameters().top_level().0;
        let fresh=NoiseBound::fresh_secret(n);
        let masked=fresh.times_one_norm((n as f64*32768.0).log2()).scaled(-37.0).plus(NoiseBound::rounding(2,n)).scaled(8.0);
        Ok(vec![Shape{level:Level(top-1),noise:fresh,factor:1},Shape{level:Level(top-1),noise:masked,factor:1},Shape{level:Level(1),noise:masked,factor:1}])
    }
    fn run<A:Arithmetic>(&self,a:&A,i:&[A::Value])->Result<Vec<A::Value>,Error>{
        let t0=Instant::now();
        let s=self.score.apply(a,&i[0],&i[1])?; 
        println!("score {:?} {:?}", a.shape(&s), t0.elapsed());
        let c=a.context(); let t=c.plaintext_modulus();
        let d=self.threshold.apply(a,&s,t.inverse(c.modulus_residue(Level(1))).unwrap())?;
        println!("decision {:?} {:?}", a.shape(&d), t0.elapsed());
        let r=a.multiply_in_place(&d,&i[2])?;
        println!("sel {:?} {:?}", a.shape(&r), t0.elapsed());
        Ok(vec![r])
    }
}
fn is_prime(n:u64)->bool{ let m=|a:u64,b:u64|((a as u128*b as u128)%n as u128) as u64; let mut d=n-1; let mut s=0; while d%2==0{d/=2;s+=1;} 'o: for a in [2u64,3,5,7,11,13,17,19,23,29,31,37]{ if n%a==0{return n==a;} let mut x=1; let mut b=a; let mut e=d; while e>0{ if e&1==1{x=m(x,b);} b=m(b,b); e>>=1;} if x==1||x==n-1{continue;} for _ in 0..s-1{ x=m(x,x); if x==n-1{continue 'o;} } return false;} true }
fn main() {
    let t0=Instant::now();
    let mut spec=preset("decide-32768").unwrap();
    if let Some(list)=std::env::args().nth(3) { let (q,sp)=list.split_once('|').unwrap(); let mut used=vec![65537u64]; let mut take=|b:f64|->u64{ let step=65536u64; let mut k=(b.exp2() as u64)/step; loop { let x=k*step+1; if (x as f64)<b.exp2() && !used.contains(&x) && is_prime(x) {used.push(x);return x;} k-=1; } };
      spec.name="x".into(); spec.ciphertext_primes=q.split(',').map(|b| take(b.parse().unwrap())).collect(); spec.special_primes=sp.split(',').map(|b| take(b.parse().unwrap())).collect(); println!("{:?} {:?}",spec.ciphertext_primes,spec.special_primes);}
    let p = Parameters::new(spec, Backend::detect()).unwrap(); println!("QP {}", p.modulus_bits());
    println!("params {:?}", t0.elapsed());
    let c = Context::new(&p).unwrap();
    println!("ctx {:?}", t0.elapsed());
    let radix: usize = std::env::args().nth(2).and_then(|s| s.parse().ok()).unwrap_or(2);
    let f=Find{threshold:Threshold::new(ValueSet::new(-128,128,2).unwrap(), 34).unwrap(), score: Score{sum:RotationSum{stride:128,count:128,radix}}};
    let plan=match f.plan_on(&c){Ok(p)=>p,Err(e)=>{println!("{e}");return}};
    println!("{plan:?}");
    let key = SecretKey::from_seed(&c, Seed::from_bytes([7;32]));
    let t0=Instant::now();
    let keys = key.evaluation_keys(&KeyRequirements{relinearization:true, galois: plan.galois.clone()});
    println!("keys {:?} bytes {}", t0.elapsed(), { use blindrelay_engine::wire::Wire; keys.to_bytes().len() });
    let ev=Evaluator::new(&c);
    let n=32768; 
    let enc=|v:&[i64]| { let t0=Instant::now(); let x=key.encrypt(&c.encode_slots(v).unwrap()).unwrap(); let e=t0.elapsed(); let y=x.expand(&c).unwrap(); println!("enc {:?} expand {:?}", e, t0.elapsed()-e); y};
    // user j in row r: slot r*16384 + 128*d + j
    let tok=|j:usize,d:usize| -> i64 { if j==5 {1} else { let mut h=(j*1000003+d*7919) as u64; h^=h<<13; h^=h>>7; h^=h<<17; h=h.wrapping_mul(0x9E3779B97F4A7C15); if h>>63==1 {1} else {-1} } };
    let roster:Vec<i64>=(0..n).map(|s|{let (r,q)=(s/16384,s%16384); tok(r*128+q%128,q/128)}).collect();
    let target=200;
    let probe:Vec<i64>=(0..n).map(|s|tok(target,(s%16384)/128)).collect();
    let pay:Vec<i64>=(0..n).map(|s|{let (r,q)=(s/16384,s%16384); ((r*128+q%128)*128+q/128) as i64 % 32768}).collect();
    let down=|ct:Ciphertext,l:usize| ev.switch_down_to(&ct,Level(l)).unwrap();
    let inputs=[Operand::fresh(down(enc(&probe),9)),Operand::fresh(down(enc(&roster),9)),Operand::fresh(down(enc(&pay),1))];
    let threads: usize = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(1);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    for _ in 0..3 {
        let t0=Instant::now();
        let out=pool.install(||f.run(&Evaluation::new(&ev,&keys),&inputs)).unwrap();
        println!("find {:?}", t0.elapsed());
        let ct=out.into_iter().next().unwrap().into_plain().unwrap();
        let t0=Instant::now(); let ans=ev.answer(ct.clone(), &(0..n as u32).collect::<Vec<_>>()); println!("answer {:?} {:?}", t0.elapsed(), ans.map(|a| {use blindrelay_engine::wire::Wire; a.to_bytes().len()}));
        let slots=c.decode_slots(&hazmat::decrypt(&key,&ct).unwrap()).unwrap();
        let mut bad=0; for s in 0..n { let (r,q)=(s/16384,s%16384); let want= if r*128+q%128==target {pay[s]} else {0}; if slots[s]!=want {bad+=1;} }
        println!("bad {bad} noise {:.1} bound {:.1} limit {:.1}", hazmat::measure_noise(&key,&ct).unwrap(), ct.noise().sup_log2(), plan.limit_log2);
    }
}
